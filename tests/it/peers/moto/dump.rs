//! Everything in an account, as text that can be compared.

use std::collections::BTreeMap;

use super::account::Account;
use super::xml::Xml;

/// What differs between two looks at an unchanged account.
const VOLATILE: [&str; 7] = [
    "AccessKeyLastUsed",
    "IsTruncated",
    "Marker",
    "PasswordLastUsed",
    "RequestId",
    "ResponseMetadata",
    "RoleLastUsed",
];

/// Everything in an account: from a name such as `user /path/name` to all that IAM says of it.
///
/// Ids are part of it, so that something deleted and made again is not the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dump(BTreeMap<String, String>);

impl Dump {
    /// The part whose names satisfy a condition: all that is foreign, for example.
    #[must_use]
    pub fn only(&self, wanted: impl Fn(&str) -> bool) -> Self {
        let kept = self.0.iter().filter(|(name, _)| wanted(name));
        Self(kept.map(|(name, text)| (name.clone(), text.clone())).collect())
    }

    /// The names, in order.
    pub fn names(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }

    /// What is said of one thing.
    pub fn of(&self, name: &str) -> &str {
        self.0.get(name).unwrap_or_else(|| panic!("no {name} among {:?}", self.names()))
    }

    /// All of it as one text.
    pub fn text(&self) -> String {
        self.0.iter().flat_map(|(name, text)| [name, "\n", text]).collect()
    }

    /// Panics unless both are the same, showing only what differs.
    #[track_caller]
    pub fn assert_same(&self, after: &Self) {
        let names = self.0.keys().chain(after.0.keys());
        let mut differing: Vec<&String> =
            names.filter(|name| self.0.get(*name) != after.0.get(*name)).collect();
        differing.sort();
        differing.dedup();
        let differences: Vec<String> = differing
            .into_iter()
            .map(|name| {
                let shown = |dump: &Self| {
                    dump.0.get(name).cloned().unwrap_or_else(|| "  (not there)\n".into())
                };
                format!("{name}\n before:\n{} after:\n{}", shown(self), shown(after))
            })
            .collect();
        assert!(differences.is_empty(), "the account changed:\n{}", differences.concat());
    }

    fn add(&mut self, kind: &str, path_and_name: &str, texts: &[String]) {
        self.0.insert(format!("{kind} {path_and_name}"), texts.concat());
    }
}

impl Account {
    /// Everything of IAM in the account: users with tags, groups, policies and credentials; groups
    /// with members and policies; roles; policies; MFA devices; identity providers.
    ///
    /// A dozen calls per user: not for thousands of them.
    pub fn dump(&self) -> Dump {
        let mut dump = Dump::default();
        for user in self.iam("ListUsers", &[]).members("Users") {
            dump.add("user", &full_name(&user, "UserName"), &self.user_texts(&user));
        }
        for group in self.iam("ListGroups", &[]).members("Groups") {
            dump.add("group", &full_name(&group, "GroupName"), &self.group_texts(&group));
        }
        for role in self.iam("ListRoles", &[]).members("Roles") {
            dump.add("role", &full_name(&role, "RoleName"), &self.role_texts(&role));
        }
        for policy in self.iam("ListPolicies", &[("Scope", "Local")]).members("Policies") {
            dump.add("policy", &full_name(&policy, "PolicyName"), &self.policy_texts(&policy));
        }
        for device in self.iam("ListVirtualMFADevices", &[]).members("VirtualMFADevices") {
            let texts = [device.lines("member", &["QRCodePNG", "Base32StringSeed"])];
            dump.add("virtual MFA device", &device.text("SerialNumber"), &texts);
        }
        self.add_providers(&mut dump);
        dump
    }

    fn user_texts(&self, user: &Xml) -> Vec<String> {
        let name = user.text("UserName");
        let mut texts = self.all_about(
            &[("UserName", &name)],
            &[
                ("GetUser", "User"),
                ("ListUserTags", "Tags"),
                ("ListGroupsForUser", "Groups"),
                ("ListAttachedUserPolicies", "AttachedPolicies"),
                ("ListAccessKeys", "AccessKeyMetadata"),
                ("GetLoginProfile", "LoginProfile"),
                ("ListMFADevices", "MFADevices"),
                ("ListSSHPublicKeys", "SSHPublicKeys"),
                ("ListSigningCertificates", "Certificates"),
                ("ListServiceSpecificCredentials", "ServiceSpecificCredentials"),
            ],
        );
        texts.extend(self.inline_policies("User", &name));
        texts
    }

    fn group_texts(&self, group: &Xml) -> Vec<String> {
        let name = group.text("GroupName");
        let mut texts = self.all_about(
            &[("GroupName", &name)],
            &[("GetGroup", "GetGroupResult"), ("ListAttachedGroupPolicies", "AttachedPolicies")],
        );
        texts.extend(self.inline_policies("Group", &name));
        texts
    }

    fn role_texts(&self, role: &Xml) -> Vec<String> {
        let name = role.text("RoleName");
        let mut texts = self.all_about(
            &[("RoleName", &name)],
            &[
                ("GetRole", "Role"),
                ("ListRoleTags", "Tags"),
                ("ListAttachedRolePolicies", "AttachedPolicies"),
            ],
        );
        texts.extend(self.inline_policies("Role", &name));
        texts
    }

    fn policy_texts(&self, policy: &Xml) -> Vec<String> {
        let (arn, version) = (policy.text("Arn"), policy.text("DefaultVersionId"));
        let mut texts = self.all_about(
            &[("PolicyArn", &arn)],
            &[("GetPolicy", "Policy"), ("ListPolicyTags", "Tags")],
        );
        let parameters = [("PolicyArn", arn.as_str()), ("VersionId", version.as_str())];
        texts.extend(self.all_about(&parameters, &[("GetPolicyVersion", "PolicyVersion")]));
        texts
    }

    fn inline_policies(&self, kind: &str, name: &str) -> Vec<String> {
        let owner = format!("{kind}Name");
        let list = self.iam(&format!("List{kind}Policies"), &[(&owner, name)]);
        let get = format!("Get{kind}Policy");
        list.all("member")
            .iter()
            .map(|policy| {
                let reply = self.iam(&get, &[(&owner, name), ("PolicyName", policy)]);
                indented(&reply.lines(&format!("{get}Result"), &VOLATILE))
            })
            .collect()
    }

    fn add_providers(&self, dump: &mut Dump) {
        for (list, get, parameter) in [
            ("ListOpenIDConnectProviders", "GetOpenIDConnectProvider", "OpenIDConnectProviderArn"),
            ("ListSAMLProviders", "GetSAMLProvider", "SAMLProviderArn"),
        ] {
            for arn in self.iam(list, &[]).all("Arn") {
                let texts = self.all_about(&[(parameter, &arn)], &[(get, &format!("{get}Result"))]);
                dump.add("identity provider", &arn, &texts);
            }
        }
    }

    /// An element of the reply of each call; nothing where there is no such entity.
    fn all_about(&self, parameters: &[(&str, &str)], calls: &[(&str, &str)]) -> Vec<String> {
        calls
            .iter()
            .filter_map(|(action, element)| match self.try_iam(action, parameters) {
                Ok(reply) => Some(indented(&reply.lines(element, &VOLATILE))),
                Err(refusal) if refusal.code == "NoSuchEntity" => None,
                Err(refusal) => panic!("{action}: {refusal:?}"),
            })
            .collect()
    }
}

fn full_name(member: &Xml, name: &str) -> String {
    format!("{}{}", member.text("Path"), member.text(name))
}

fn indented(text: &str) -> String {
    text.lines().flat_map(|line| ["  ", line, "\n"]).collect()
}
