//! The generic schemas.

use reconcile::directory::{Origin, SchemaKind};
use reconcile::model::{GroupName, Via};

use super::{
    assert_complete, assert_partial, config, groups, person, read_it, read_ldif, server,
    without_own_ids,
};
use crate::peers::slapd::{Setup, Slapd};

const TREE: &str = "\
dn: dc=example,dc=org
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: ou=people,dc=example,dc=org
objectClass: organizationalUnit
ou: people

dn: ou=groups,dc=example,dc=org
objectClass: organizationalUnit
ou: groups

dn: uid=ada,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
objectClass: posixAccount
objectClass: shadowAccount
uid: ada
uidNumber: 1
gidNumber: 100
homeDirectory: /home/ada
cn: Ada Lovelace
sn: Lovelace
userPassword: {CRYPT}!x

dn: uid=bert,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
objectClass: posixAccount
uid: bert
uidNumber: 2
gidNumber: 999
homeDirectory: /home/bert
cn: Bert Brecht
sn: Brecht

";

const RFC2307_GROUPS: &str = "\
dn: cn=users,ou=groups,dc=example,dc=org
objectClass: posixGroup
cn: users
gidNumber: 100

dn: cn=admin,ou=groups,dc=example,dc=org
objectClass: posixGroup
cn: admin
gidNumber: 101
memberUid: bert
memberUid: gone
memberUid: ADA

";

/// `inner` is in `outer` and the other way round; names are spelt in other ways.
const NAMES_GROUPS: &str = "\
dn: cn=inner,ou=groups,dc=example,dc=org
objectClass: groupOfNames
cn: inner
member: UID=Ada, OU=people,dc=example,dc=org
member: cn=outer,ou=groups,dc=example,dc=org

dn: cn=outer,ou=groups,dc=example,dc=org
objectClass: groupOfNames
cn: outer
member: cn=Inner,ou=Groups,dc=Example,dc=org

dn: cn=unique,ou=groups,dc=example,dc=org
objectClass: groupOfUniqueNames
cn: unique
uniqueMember: uid=bert,ou=people,dc=example,dc=org#'0101'B

";

#[tokio::test]
async fn rfc2307_from_a_server_and_from_a_file() {
    let ldif = format!("{TREE}{RFC2307_GROUPS}");
    let slapd = Slapd::start(&Setup { ldif: &ldif, ..Setup::default() });
    let origin = Origin::Ldap(Box::new(server(slapd.url())));
    let reading = read_it(&config(origin, SchemaKind::Rfc2307)).await;
    assert_complete(&reading);
    let directory = reading.got();
    assert_eq!(groups(directory, "ada"), ["users"], "memberUid is spelt exactly");
    assert_eq!(person(directory, "ada").groups[0].via, Via::Primary);
    assert_eq!(groups(directory, "bert"), ["admin"]);
    assert!(person(directory, "ada").locked.is_some());
    assert_eq!(person(directory, "ada").has_key, None);
    assert_eq!(without_own_ids(reading), read_ldif(&ldif, SchemaKind::Rfc2307).await);
}

#[tokio::test]
async fn rfc2307bis_from_a_server_and_from_a_file() {
    let ldif = format!("{TREE}{NAMES_GROUPS}");
    let slapd = Slapd::start(&Setup { ldif: &ldif, ..Setup::default() });
    let origin = Origin::Ldap(Box::new(server(slapd.url())));
    let reading = read_it(&config(origin, SchemaKind::Rfc2307bis)).await;
    assert_complete(&reading);
    let directory = reading.got();
    assert_eq!(groups(directory, "ada"), ["inner", "outer"]);
    let inner = directory.group(&GroupName::new("inner")).expect("inner");
    assert_eq!(person(directory, "ada").groups[1].via, Via::Through(inner));
    assert_eq!(groups(directory, "bert"), ["unique"]);
    assert_eq!(without_own_ids(reading), read_ldif(&ldif, SchemaKind::Rfc2307bis).await);
}

#[tokio::test]
async fn member_of_counts_where_the_group_shows_no_member() {
    let member_of = "memberOf: cn=hidden,ou=groups,dc=example,dc=org\n\
                     memberOf: cn=outer,ou=groups,dc=example,dc=org\n";
    let tree = TREE.replace("sn: Brecht\n", &format!("sn: Brecht\n{member_of}"));
    let hidden =
        "dn: cn=hidden,ou=groups,dc=example,dc=org\nobjectClass: groupOfNames\ncn: hidden\n\n";
    let reading = read_ldif(&format!("{tree}{NAMES_GROUPS}{hidden}"), SchemaKind::Rfc2307bis).await;
    assert_complete(&reading);
    assert_eq!(groups(reading.got(), "bert"), ["hidden", "unique"]);
}

/// `S-1-5-21-1-2-3-<number>` as Active Directory stores it, in base 64.
const USER_SID: &str = "AQUAAAAAAAUVAAAAAQAAAAIAAAADAAAAVAQAAA==";
const DOMAIN_USERS_SID: &str = "AQUAAAAAAAUVAAAAAQAAAAIAAAADAAAAAQIAAA==";

#[tokio::test]
async fn active_directory_from_a_file() {
    let text = format!(
        "dn: CN=Ada,CN=Users,dc=example,dc=org
objectClass: user
objectGUID:: AAECAwQFBgcICQoLDA0ODw==
objectSid:: {USER_SID}
sAMAccountName: ada
primaryGroupID: 513
userAccountControl: 514
accountExpires: 134116992000000000
cn: Ada

dn: CN=PC,CN=Users,dc=example,dc=org
objectClass: user
objectClass: computer
sAMAccountName: PC$

dn: CN=Domain Users,CN=Users,dc=example,dc=org
objectClass: group
objectSid:: {DOMAIN_USERS_SID}
sAMAccountName: Domain Users

dn: CN=Inner,dc=example,dc=org
objectClass: group
sAMAccountName: Inner
member: cn=ada,cn=users,DC=example,DC=org

dn: CN=Outer,dc=example,dc=org
objectClass: group
sAMAccountName: Outer
member: CN=Inner,dc=example,dc=org

"
    );
    let reading = read_ldif(&text, SchemaKind::ActiveDirectory).await;
    assert_complete(&reading);
    let ada = person(reading.got(), "ada");
    assert_eq!(reading.got().people.len(), 1, "a computer is nobody");
    assert_eq!(ada.stable_id.as_str(), "03020100-0504-0706-0809-0a0b0c0d0e0f");
    assert!(ada.locked.is_some());
    assert_eq!(ada.expires, Some(jiff::civil::date(2026, 1, 1)));
    assert_eq!(groups(reading.got(), "ada"), ["Domain Users", "Inner", "Outer"]);
    assert_eq!(ada.groups[0].via, Via::Primary);

    let in_part = text.replace("member: cn=ada", "member;range=0-0: cn=ada");
    assert_partial(
        &read_ldif(&in_part, SchemaKind::ActiveDirectory).await,
        &["`member` of Inner", "only the first 1 values"],
    );
}

/// What is odd about the members of a group, as it is read from a server with these access rules.
async fn oddities(rules: &str, group: &str) -> (Option<String>, Option<(u32, u32, String)>) {
    let ldif = format!("{TREE}{NAMES_GROUPS}");
    let slapd = Slapd::start(&Setup { ldif: &ldif, database: rules, ..Setup::default() });
    let origin = Origin::Ldap(Box::new(server(slapd.url())));
    let reading = read_it(&config(origin, SchemaKind::Rfc2307bis)).await;
    assert_complete(&reading);
    let read = reading.got();
    let group = read.group_at(read.group(&GroupName::new(group)).expect("the group"));
    let unmatched = group.unmatched.as_ref();
    let unmatched = unmatched.map(|one| (one.count, one.listed, one.cause.to_string()));
    (group.doubtful.clone(), unmatched)
}

#[tokio::test]
async fn hidden_members_are_known_by_what_is_missing() {
    let all = "access to * by * read";
    // The standard and the server's own schema make members mandatory.
    let (doubtful, _) =
        oddities(&format!("access to attrs=member by * none\n{all}"), "inner").await;
    assert_eq!(
        doubtful.as_deref(),
        Some("it is a groupOfNames, which has a member at least, and shows none")
    );
    // The only person of the group is where people are and is not found.
    let bert = "access to dn.exact=\"uid=bert,ou=people,dc=example,dc=org\" by * none";
    let (doubtful, unmatched) = oddities(&format!("{bert}\n{all}"), "unique").await;
    assert!(doubtful.is_some_and(|why| why.starts_with("1 of its 1 members")));
    let (count, listed, cause) = unmatched.expect("a member that is nobody");
    assert_eq!((count, listed), (1, 1));
    assert!(cause.contains("no search finds it"), "{cause}");
    // The server says that there is something.
    let bert = bert.replace("by * none", "by * search");
    let (doubtful, _) = oddities(&format!("{bert}\n{all}"), "unique").await;
    assert!(doubtful.is_some_and(|why| why.contains("uid=bert")));
    // Nothing is hidden.
    assert_eq!(oddities(all, "unique").await, (None, None));
}

#[tokio::test]
async fn members_elsewhere_and_members_who_moved() {
    let groups = "dn: cn=choir,ou=groups,dc=example,dc=org\nobjectClass: groupOfNames\ncn: choir\n\
                  member: uid=ada,ou=people,dc=example,dc=org\nmember: cn=dummy\n\n\
                  dn: cn=old,ou=groups,dc=example,dc=org\nobjectClass: groupOfNames\ncn: old\n\
                  member: uid=bert,ou=guests,ou=people,dc=example,dc=org\n\n";
    let reading = read_ldif(&format!("{TREE}{groups}"), SchemaKind::Rfc2307bis).await;
    assert_complete(&reading);
    let [choir, old] = &reading.got().groups[..] else { panic!("two groups") };
    assert_eq!(choir.doubtful, None, "a placeholder hides nobody");
    let cause = choir.unmatched.as_ref().map(|one| one.cause.to_string());
    assert!(cause.is_some_and(|cause| cause.contains("not below `ou=people,dc=example,dc=org`")));
    let doubtful = old.doubtful.as_deref().expect("somebody moved");
    assert!(
        doubtful.contains("that entry is uid=bert,ou=people,dc=example,dc=org now"),
        "{doubtful}"
    );
}
