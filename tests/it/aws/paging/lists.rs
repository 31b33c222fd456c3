//! The lists of IAM that the program reads, and how to make it read them.

use reconcile::model::{
    Attachment, Binding, Credential, HeldAttachment, HolderKind, Membership, ObjectKey,
    ObservedAccount, VendorId,
};

use super::service::Call;

/// One list of IAM.
pub struct List {
    pub action: &'static str,
    /// Where its members are. One, except in the bulk reading.
    pub elements: &'static [Element],
    /// What makes the program read it, each in another way or for another end.
    pub asks: &'static [Ask],
    /// Whether it has `IsTruncated` and `Marker`.
    pub is_paged: bool,
}

/// What holds the members of a list.
pub struct Element {
    pub name: &'static str,
    /// The member with a number. On the first page is 1, on the second 2; where somebody lies, 4
    /// is there instead, and 3 is nowhere ever.
    pub member: fn(u32) -> String,
}

/// How to find out whether the program knows of a member.
#[derive(Clone, Copy)]
pub enum Ask {
    /// By looking at one thing.
    Look(fn(u32) -> ObjectKey),
    /// By reading the account.
    Observe(fn(&ObservedAccount, u32) -> bool),
    /// By reading the credentials of `user1`.
    Credentials(fn(&[Credential], u32) -> bool),
    /// By unbinding the last role of a document, and whether that did something to it.
    Unbind(fn(&Call, u32) -> bool),
}

/// An element with its members.
macro_rules! element {
    ($name:literal, $member:expr) => {
        Element { name: $name, member: $member }
    };
}

pub const DATE: &str = "2026-01-01T00:00:00Z";
const ACCOUNT: &str = "arn:aws:iam::111111111111";

pub const LISTS: &[List] = &[
    List {
        action: "GetAccountAuthorizationDetails",
        elements: &[
            element!("UserDetailList", |n| {
                let groups = "<GroupList><member>group2</member></GroupList>";
                format!("{}{groups}{}", user(n), mark(&format!("person:debian:{n}")))
            }),
            element!("GroupDetailList", |n| {
                // The first has a document that is not among the policies.
                let number = if n == 1 { 2 } else { n };
                let policies = format!("<member>{}</member>", attached(number));
                let policies =
                    format!("<AttachedManagedPolicies>{policies}</AttachedManagedPolicies>");
                format!("{}{policies}", group(n))
            }),
            element!("RoleDetailList", |n| format!("{}{}", role(n), mark(&format!("role:r{n}")))),
            element!("Policies", |n| {
                format!("<PolicyName>p{n}</PolicyName><Arn>{ACCOUNT}:policy/p{n}</Arn>")
            }),
        ],
        asks: &[Ask::Observe(|account, n| {
            account.users.iter().any(|user| user.id == id("AIDA", n))
                && account.groups.iter().any(|group| group.id == id("AGPA", n))
                && account.roles.iter().any(|role| role.id == id("AROA", n))
        })],
        is_paged: true,
    },
    List {
        action: "ListUsers",
        elements: &[element!("Users", user)],
        asks: &[Ask::Look(|n| ObjectKey::User(id("AIDA", n)))],
        is_paged: true,
    },
    List {
        action: "ListGroups",
        elements: &[element!("Groups", group)],
        asks: &[Ask::Look(|n| ObjectKey::Group(id("AGPA", n)))],
        is_paged: true,
    },
    List {
        action: "ListRoles",
        elements: &[element!("Roles", |n| {
            format!("{}<Description>listed {n}</Description>", role(n))
        })],
        asks: &[
            Ask::Look(|n| ObjectKey::Role(id("AROA", n))),
            Ask::Observe(|account, n| {
                let listed = format!("listed {n}");
                account.roles.iter().any(|role| role.spec.description == listed)
            }),
        ],
        is_paged: true,
    },
    List {
        action: "ListGroupsForUser",
        elements: &[element!("Groups", group)],
        asks: &[Ask::Look(|n| {
            ObjectKey::Membership(Membership { group: id("AGPA", n), user: id("AIDA", 1) })
        })],
        is_paged: true,
    },
    List {
        action: "ListAccessKeys",
        elements: &[element!("AccessKeyMetadata", |n| {
            format!("<UserName>user1</UserName><AccessKeyId>AKIA{n}</AccessKeyId>")
        })],
        asks: &[
            Ask::Credentials(|all, n| has(all, "access-key", &format!("AKIA{n}"))),
            Ask::Look(|n| credential("access-key", format!("AKIA{n}"))),
        ],
        is_paged: true,
    },
    List {
        action: "ListMFADevices",
        elements: &[element!("MFADevices", |n| {
            format!(
                "<UserName>user1</UserName><SerialNumber>GAHT{n}</SerialNumber>\
                 <EnableDate>{DATE}</EnableDate>"
            )
        })],
        asks: &[
            Ask::Credentials(|all, n| has(all, "mfa", &format!("GAHT{n}"))),
            Ask::Look(|n| credential("mfa", format!("GAHT{n}"))),
        ],
        is_paged: true,
    },
    List {
        action: "ListVirtualMFADevices",
        elements: &[element!("VirtualMFADevices", |n| {
            format!("<SerialNumber>{}</SerialNumber>", device(n))
        })],
        asks: &[
            Ask::Credentials(|all, n| has(all, "virtual-mfa", &device(n))),
            Ask::Look(|n| credential("virtual-mfa", device(n))),
        ],
        is_paged: true,
    },
    List {
        action: "ListMFADeviceTags",
        elements: &[element!("Tags", |n| match n {
            1 => "<Key>reconcile:organisation</Key><Value>spi</Value>".to_owned(),
            2 => "<Key>reconcile:subject</Key><Value>person:debian:1</Value>".to_owned(),
            _ => format!("<Key>tag{n}</Key><Value>x</Value>"),
        })],
        // The second page says whose the device was; of a third one nothing depends on.
        asks: &[Ask::Credentials(|all, n| n == 2 && has(all, "virtual-mfa", &device(1)))],
        is_paged: true,
    },
    List {
        action: "ListSSHPublicKeys",
        elements: &[element!("SSHPublicKeys", |n| {
            format!(
                "<UserName>user1</UserName><SSHPublicKeyId>APKA{n}</SSHPublicKeyId>\
                 <Status>Active</Status><UploadDate>{DATE}</UploadDate>"
            )
        })],
        asks: &[
            Ask::Credentials(|all, n| has(all, "ssh-key", &format!("APKA{n}"))),
            Ask::Look(|n| credential("ssh-key", format!("APKA{n}"))),
        ],
        is_paged: true,
    },
    List {
        action: "ListSigningCertificates",
        elements: &[element!("Certificates", |n| {
            format!(
                "<UserName>user1</UserName><CertificateId>CERT{n}</CertificateId>\
                 <CertificateBody>x</CertificateBody><Status>Active</Status>"
            )
        })],
        asks: &[
            Ask::Credentials(|all, n| has(all, "signing-certificate", &format!("CERT{n}"))),
            Ask::Look(|n| credential("signing-certificate", format!("CERT{n}"))),
        ],
        is_paged: true,
    },
    List {
        action: "ListServiceSpecificCredentials",
        elements: &[element!("ServiceSpecificCredentials", |n| {
            format!(
                "<UserName>user1</UserName><Status>Active</Status>\
                 <ServiceUserName>u</ServiceUserName><CreateDate>{DATE}</CreateDate>\
                 <ServiceSpecificCredentialId>ACCA{n}</ServiceSpecificCredentialId>\
                 <ServiceName>codecommit.amazonaws.com</ServiceName>"
            )
        })],
        asks: &[
            Ask::Credentials(|all, n| has(all, "service-credential", &format!("ACCA{n}"))),
            Ask::Look(|n| credential("service-credential", format!("ACCA{n}"))),
        ],
        is_paged: true,
    },
    List {
        action: "ListUserTags",
        elements: &[element!("Tags", |n| match n {
            1 => "<Key>reconcile:organisation</Key><Value>spi</Value>".to_owned(),
            2 => "<Key>reconcile:key</Key><Value>AKIA2=2026-01-01</Value>".to_owned(),
            _ => format!("<Key>tag{n}</Key><Value>x</Value>"),
        })],
        asks: &[Ask::Credentials(|all, n| {
            let key = format!("AKIA{n}");
            all.iter().any(|one| one.id.as_str() == key && one.handed_over.is_some())
        })],
        is_paged: true,
    },
    List {
        action: "ListAttachedUserPolicies",
        elements: &[element!("AttachedPolicies", attached)],
        asks: &[Ask::Look(|n| attachment(HolderKind::User, "AIDA1", n))],
        is_paged: true,
    },
    List {
        action: "ListAttachedGroupPolicies",
        elements: &[element!("AttachedPolicies", attached)],
        asks: &[
            Ask::Look(|n| attachment(HolderKind::Group, "AGPA1", n)),
            // The second is a document of ours, and its role is no other document's.
            Ask::Look(|n| {
                let role = id("AROA", if n == 2 { 2 } else { 1 });
                ObjectKey::Binding(Binding { role, group: id("AGPA", 1) })
            }),
            // The bulk reading shows that there is such a document, and not what it says.
            Ask::Observe(|account, n| {
                let binding = Binding { role: id("AROA", n), group: id("AGPA", 1) };
                account.bindings.contains(&binding)
            }),
        ],
        is_paged: true,
    },
    List {
        action: "ListAttachedRolePolicies",
        elements: &[element!("AttachedPolicies", attached)],
        asks: &[Ask::Look(|n| attachment(HolderKind::Role, "AROA1", n))],
        is_paged: true,
    },
    List {
        action: "ListPolicyVersions",
        elements: &[element!("Versions", |n| {
            format!(
                "<VersionId>v{n}</VersionId><IsDefaultVersion>false</IsDefaultVersion>\
                 <CreateDate>{DATE}</CreateDate>"
            )
        })],
        // A policy can only go once all its versions have gone.
        asks: &[Ask::Unbind(|call, n| {
            call.action == "DeletePolicyVersion" && call.version == Some(format!("v{n}"))
        })],
        is_paged: true,
    },
    List {
        action: "ListOpenIDConnectProviders",
        elements: &[element!("OpenIDConnectProviderList", |n| {
            format!("<Arn>{}</Arn>", provider("oidc", n))
        })],
        asks: &[Ask::Observe(|account, n| has_provider(account, "oidc", n))],
        is_paged: false,
    },
    List {
        action: "ListSAMLProviders",
        elements: &[element!("SAMLProviderList", |n| {
            format!("<Arn>{}</Arn>", provider("saml", n))
        })],
        asks: &[Ask::Observe(|account, n| has_provider(account, "saml", n))],
        is_paged: false,
    },
];

/// The mark of the organisation.
pub fn mark(subject: &str) -> String {
    format!(
        "<Tags><member><Key>reconcile:organisation</Key><Value>spi</Value></member>\
         <member><Key>reconcile:subject</Key><Value>{subject}</Value></member></Tags>"
    )
}

pub fn user(n: u32) -> String {
    format!(
        "<UserName>user{n}</UserName><UserId>AIDA{n}</UserId><Path>/reconcile/spi/</Path>\
         <Arn>{ACCOUNT}:user/reconcile/spi/user{n}</Arn><CreateDate>{DATE}</CreateDate>"
    )
}

pub fn group(n: u32) -> String {
    let path = format!("/reconcile/spi/group:debian:g{n}/");
    format!(
        "<GroupName>group{n}</GroupName><GroupId>AGPA{n}</GroupId><Path>{path}</Path>\
         <Arn>{ACCOUNT}:group{path}group{n}</Arn><CreateDate>{DATE}</CreateDate>"
    )
}

pub fn role(n: u32) -> String {
    format!(
        "<RoleName>role{n}</RoleName><RoleId>AROA{n}</RoleId><Path>/reconcile/spi/</Path>\
         <Arn>{}</Arn><CreateDate>{DATE}</CreateDate>",
        role_arn(n)
    )
}

pub fn role_arn(n: u32) -> String {
    format!("{ACCOUNT}:role/reconcile/spi/role{n}")
}

fn attached(n: u32) -> String {
    format!("<PolicyName>it</PolicyName><PolicyArn>{}</PolicyArn>", policy(n))
}

/// The second is the second document of the first group.
pub fn policy(n: u32) -> String {
    match n {
        2 => format!("{ACCOUNT}:policy/reconcile/spi/reconcile-assume-2-AGPA1"),
        _ => format!("{ACCOUNT}:policy/p{n}"),
    }
}

fn device(n: u32) -> String {
    format!("{ACCOUNT}:mfa/device{n}")
}

fn provider(kind: &str, n: u32) -> String {
    format!("{ACCOUNT}:{kind}-provider/p{n}")
}

fn id(kind: &str, n: u32) -> VendorId {
    VendorId::new(format!("{kind}{n}"))
}

fn has(all: &[Credential], kind: &str, id: &str) -> bool {
    all.iter().any(|one| one.kind.as_str() == kind && one.id.as_str() == id)
}

fn has_provider(account: &ObservedAccount, kind: &str, n: u32) -> bool {
    let arn = provider(kind, n);
    account.roles.iter().any(|role| role.id.as_str() == arn)
}

fn credential(kind: &str, id: String) -> ObjectKey {
    ObjectKey::Credential(Credential {
        user: "AIDA1".into(),
        kind: kind.into(),
        id: id.into(),
        handed_over: None,
    })
}

fn attachment(holder_kind: HolderKind, holder: &str, n: u32) -> ObjectKey {
    let name = policy(n).into();
    ObjectKey::Attachment(HeldAttachment {
        holder_kind,
        holder: holder.into(),
        attachment: Attachment { kind: "managed-policy".into(), name, content: None },
    })
}
