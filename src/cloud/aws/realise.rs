//! What a role of the policies is at AWS: a role with its trust, and policies attached to it.
//!
//! Pure: accounts, partition and names are all there is to know.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::config::SAML_METADATA;
use super::convert::USER_BOUNDARY;
use super::document::{VERSION, normal, normal_value};
use super::hub::inline_name;
use super::identity::path_of;
use super::providers;
use super::session::{partition, setting};
use crate::model::{
    Account, Attachment, AttributeName, AttributeValue, Federation, Forge, GitRef, Lacking,
    ObjectName, RealisedProvider, RealisedRole, RoleInputs, RoleSpec, Subject, Trust,
};

/// Attribute people write: managed policies.
pub const MANAGED_POLICIES: &str = "managed_policies";
/// Attribute people write: a policy of the role's own.
pub const INLINE_POLICY: &str = "inline_policy";
/// Attribute people write, and attribute of the role: the managed policy that bounds it.
pub const BOUNDARY: &str = "boundary";
/// Attribute people write, and attribute of the role: how long a session lasts at most.
pub const SESSION_HOURS: &str = "session_hours";
/// Attribute of the role: who may take it on, as a document.
pub const TRUST: &str = "trust";

/// Kind of attachment: a managed policy, named by its ARN.
pub const MANAGED: &str = "managed-policy";
/// Kind of attachment: a policy within its holder.
pub const INLINE: &str = "inline-policy";
/// The name of the inline policy of a role of ours.
pub const INLINE_NAME: &str = "reconcile";

/// A session lasts so long where nothing is written: AWS's own default.
const USUAL_HOURS: i64 = 1;

/// Access mode `iam`: the hub's users may assume the role where their group's documents say so.
pub fn iam(inputs: &RoleInputs<'_>) -> RealisedRole {
    let name = inputs.role.as_str().to_owned();
    match inputs.trust {
        Trust::Bound => role(inputs, name, &of_hub(inputs), None, None),
        Trust::Holder(holder) => by_log_in(inputs, holder),
        Trust::Forge(service, federation) => by_forge(inputs, service, federation),
    }
}

/// Access mode `saml`: people log in elsewhere; that service says in which groups they are.
pub fn saml(inputs: &RoleInputs<'_>) -> RealisedRole {
    iam(inputs)
}

/// The organisation's users of the hub, and nobody else of it: not even those with a policy that
/// allows them to assume any role.
fn of_hub(inputs: &RoleInputs<'_>) -> Value {
    let (partition, hub) = (partition(inputs.hub), &inputs.hub.id);
    let path = path_of(&inputs.account.place.organisation);
    json!({
        "Effect": "Allow",
        "Principal": { "AWS": format!("arn:{partition}:iam::{hub}:root") },
        "Action": "sts:AssumeRole",
        "Condition": {
            "ArnLike": { "aws:PrincipalArn": format!("arn:{partition}:iam::{hub}:user{path}*") }
        },
    })
}

/// Members of one group, as the log-in service says.
///
/// Of AWS's condition keys for SAML those named after `eduPerson` attributes may have several
/// values (IAM User Guide, "Available keys for SAML-based federation"); an entitlement is the one
/// meant for rights. `SAML:aud` is the sign-in address the answer was made for.
fn by_log_in(inputs: &RoleInputs<'_>, holder: &Subject) -> RealisedRole {
    let account = inputs.account;
    let organisation = &account.place.organisation;
    let partition = partition(account);
    let provider = providers::saml_name(organisation);
    let statement = json!({
        "Effect": "Allow",
        "Principal": { "Federated": providers::arn(partition, &account.id, &provider) },
        "Action": "sts:AssumeRoleWithSAML",
        "Condition": {
            "StringEquals": { "SAML:aud": sign_in(partition) },
            "ForAnyValue:StringEquals": { "saml:eduPersonEntitlement": entitlement(holder) },
        },
    });
    // The metadata are written once, at the hub, or at each account.
    let metadata = setting(account, SAML_METADATA).or_else(|| setting(inputs.hub, SAML_METADATA));
    let known = metadata.filter(|text| !text.starts_with("https://"));
    let provider = RealisedProvider {
        name: provider,
        spec: providers::saml_spec(organisation, known.unwrap_or_default()),
        unknown: known.is_none(),
    };
    let name = format!("{}-{}", holder_name(holder), inputs.role);
    role(inputs, name, &statement, None, Some(provider))
}

/// What the log-in service must say of a member of a group.
pub fn entitlement(holder: &Subject) -> String {
    holder.to_string()
}

/// What the log-in service must send: the attributes, and for each group the pairs of role and
/// provider its members may choose from (IAM User Guide, "Configure SAML assertions for the
/// authentication response").
pub fn mapping(account: &Account, held: &[(&Subject, &ObjectName)]) -> Value {
    let (partition, organisation) = (partition(account), &account.place.organisation);
    let provider = providers::arn(partition, &account.id, &providers::saml_name(organisation));
    let path = path_of(organisation);
    let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (holder, role) in held {
        let role = format!("arn:{partition}:iam::{}:role{path}{role}", account.id);
        groups.entry(entitlement(holder)).or_default().push(format!("{role},{provider}"));
    }
    json!({
        "audience": sign_in(partition),
        "attributes": {
            "https://aws.amazon.com/SAML/Attributes/RoleSessionName": "the log-in name",
            "https://aws.amazon.com/SAML/Attributes/Role":
                "of every group the person is in, the values below",
            "https://aws.amazon.com/SAML/Attributes/SessionDuration":
                "how many seconds a session lasts, at most what the role allows; an hour unless sent",
            "urn:oid:1.3.6.1.4.1.5923.1.1.1.7":
                "eduPersonEntitlement: every group the person is in, as named below",
        },
        "groups": groups,
    })
}

/// Where SAML answers are sent (AWS General Reference, sign-in endpoints).
pub fn sign_in(partition: &str) -> &'static str {
    match partition {
        "aws-us-gov" => "https://signin.amazonaws-us-gov.com/saml",
        "aws-cn" => "https://signin.amazonaws.cn/saml",
        _ => "https://signin.aws.amazon.com/saml",
    }
}

/// Jobs of a forge.
fn by_forge(inputs: &RoleInputs<'_>, service: &Subject, federation: &Federation) -> RealisedRole {
    let account = inputs.account;
    let provider = providers::oidc_name(&federation.issuer);
    let host = federation.issuer.trim_start_matches("https://");
    let audience = audience(federation);
    let mut conditions = BTreeMap::from([
        ("StringEquals", json!({ format!("{host}:aud"): audience })),
        ("StringLike", json!({ format!("{host}:sub"): subject_claim(federation) })),
    ]);
    if !federation.networks.is_empty() {
        conditions.insert("IpAddress", json!({ "aws:SourceIp": federation.networks }));
    }
    let statement = json!({
        "Effect": "Allow",
        "Principal": { "Federated": providers::arn(partition(account), &account.id, &provider) },
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": conditions,
    });
    let provider = RealisedProvider {
        name: provider,
        spec: providers::oidc_spec(&federation.issuer, BTreeSet::from([audience.to_owned()])),
        unknown: false,
    };
    let name = format!("{}-{}", holder_name(service), inputs.role);
    role(inputs, name, &statement, federation.session_hours, Some(provider))
}

/// How long project and networks may be: a trust has 2,048 characters (IAM quotas), of which the
/// rest takes less than a thousand.
const LONGEST_TERMS: usize = 1_000;

/// Which jobs AWS can tell apart. Of GitLab's words it knows `aud` and `sub` only (IAM User Guide,
/// "Available keys for AWS OIDC federation"), and `sub` names no environment. GitHub says
/// `environment:` in `sub`, and only an environment can be protected there.
///
/// # Errors
/// What it lacks, and what to do.
pub fn check_forge(federation: &Federation) -> Result<(), Lacking> {
    let networks: usize = federation.networks.iter().map(|one| one.len() + 3).sum();
    if federation.project.len() + networks > LONGEST_TERMS {
        return Err((
            "takes at most 2,048 characters of terms for a role",
            "name fewer networks, or larger ones",
        ));
    }
    match (federation.forge, &federation.git_ref) {
        (Forge::Gitlab, Some(GitRef::Environment(_))) => {
            Err(("cannot tell environments of GitLab apart", "write `branch:` or `tag:`"))
        }
        (Forge::Gitlab | Forge::Github, _) => Ok(()),
    }
}

/// To whom a forge addresses its word: what AWS's own documentation tells people to ask for.
fn audience(federation: &Federation) -> &str {
    match federation.forge {
        Forge::Github => "sts.amazonaws.com",
        Forge::Gitlab => &federation.issuer,
    }
}

/// What the forge says a job is, as a pattern.
///
/// GitLab: `project_path:{group}/{project}:ref_type:{type}:ref:{name}`, followed by
/// `:ref_protected:true` where the project's setting `ci_id_token_sub_claim_components` asks for it
/// (GitLab 18.7; "ID token authentication", token payload): a project without that setting is not
/// let in. No name of a ref can hold a colon (git-check-ref-format), so none can pretend.
/// GitHub: `repo:{owner}/{repository}:ref:refs/heads/{name}` or `…:environment:{name}`.
fn subject_claim(federation: &Federation) -> String {
    let project = &federation.project;
    match federation.forge {
        Forge::Gitlab => {
            let git_ref = match &federation.git_ref {
                None if federation.protected => "ref_type:*:ref:*".to_owned(),
                None => "*".to_owned(),
                // Refused by [`check_forge`]; a claim that GitLab never makes.
                Some(GitRef::Environment(name)) => format!("environment:{name}"),
                Some(GitRef::Branch(name)) => format!("ref_type:branch:ref:{name}"),
                Some(GitRef::Tag(name)) => format!("ref_type:tag:ref:{name}"),
            };
            let protected = if federation.protected { ":ref_protected:true" } else { "" };
            format!("project_path:{project}:{git_ref}{protected}")
        }
        Forge::Github => {
            let git_ref = match &federation.git_ref {
                None => "*".to_owned(),
                Some(GitRef::Branch(name)) => format!("ref:refs/heads/{name}"),
                Some(GitRef::Tag(name)) => format!("ref:refs/tags/{name}"),
                Some(GitRef::Environment(name)) => format!("environment:{name}"),
            };
            format!("repo:{project}:{git_ref}")
        }
    }
}

/// A holder in the name of a role: letters, digits and what names may have, the rest as `-`.
fn holder_name(holder: &Subject) -> String {
    let text = match holder {
        Subject::Group(group) => group.to_string(),
        Subject::Service(name) | Subject::ServiceGroup(name) => name.to_string(),
        other => other.to_string(),
    };
    let allowed = |character: char| {
        if character.is_ascii_alphanumeric() || "+=,.@_-".contains(character) {
            character
        } else {
            '-'
        }
    };
    text.chars().map(allowed).collect()
}

/// A role with its attributes and attachments.
fn role(
    inputs: &RoleInputs<'_>,
    name: String,
    statement: &Value,
    session_hours: Option<i64>,
    provider: Option<RealisedProvider>,
) -> RealisedRole {
    let written = |key: &str| inputs.attributes.get(&AttributeName::new(key));
    let account = inputs.account;
    let hours = match (session_hours, written(SESSION_HOURS)) {
        (Some(hours), _) => hours,
        (None, Some(AttributeValue::Number(hours))) => *hours,
        (None, _) => USUAL_HOURS,
    };
    let trust = normal_value(&json!({ "Version": VERSION, "Statement": [statement] })).to_string();
    let mut attributes = BTreeMap::from([
        (TRUST.into(), AttributeValue::Text(trust)),
        (SESSION_HOURS.into(), AttributeValue::Number(hours)),
    ]);
    if let Some(AttributeValue::Text(policy)) = written(BOUNDARY) {
        attributes.insert(BOUNDARY.into(), AttributeValue::Text(policy_arn(account, policy)));
    }
    let mut attachments = BTreeSet::new();
    if let Some(AttributeValue::Set(policies)) = written(MANAGED_POLICIES) {
        attachments.extend(policies.iter().map(|policy| Attachment {
            kind: MANAGED.into(),
            name: policy_arn(account, policy).into(),
            content: None,
        }));
    }
    if let Some(AttributeValue::Text(policy)) = written(INLINE_POLICY) {
        attachments.insert(Attachment {
            kind: INLINE.into(),
            name: INLINE_NAME.into(),
            content: Some(normal(policy)),
        });
    }
    RealisedRole {
        spec: RoleSpec {
            name: ObjectName::new(name),
            description: description(inputs.description),
            attributes,
        },
        attachments,
        provider,
    }
}

/// A description as AWS takes it: at most 1,000 characters, all of Latin-1 (IAM API Reference,
/// `CreateRole`: `[\t\n\r\x20-\x7E\xA1-\xFF]*`). What is not shows as a question mark, as typographic
/// dashes and quotes do not.
fn description(text: &str) -> String {
    let plain = text.chars().map(|letter| match letter {
        ' '..='~' | '\u{A1}'..='\u{FF}' => letter,
        '\u{2010}'..='\u{2015}' => '-',
        '\u{2018}' | '\u{2019}' => '\'',
        '\u{201C}' | '\u{201D}' => '"',
        _ if letter.is_whitespace() || letter.is_control() => ' ',
        _ => '?',
    });
    plain.take(1000).collect()
}

/// The ARN of a managed policy: one of AWS's own by its name, or as written.
fn policy_arn(account: &Account, policy: &str) -> String {
    let partition = partition(account);
    if policy.starts_with("arn:") {
        policy.replace("{account}", &account.id)
    } else {
        format!("arn:{partition}:iam::aws:policy/{policy}")
    }
}

/// Whether an attachment can only take rights away: what bounds a user, policies that do nothing
/// but deny (`AWSRevokeOlderSessions` is one), and those that AWS itself attaches to users whose
/// keys it finds published (AWS Managed Policy Reference, `AWSCompromisedKeyQuarantine…`).
pub fn only_forbids(attachment: &Attachment) -> bool {
    if attachment.kind.as_str() == USER_BOUNDARY {
        return true;
    }
    // What this program wrote is its own to take back.
    if [INLINE_NAME, &inline_name()].contains(&attachment.name.as_str()) {
        return false;
    }
    match &attachment.content {
        None => attachment
            .name
            .as_str()
            .rsplit('/')
            .next()
            .is_some_and(|name| name.starts_with("AWSCompromisedKeyQuarantine")),
        Some(content) => serde_json::from_str::<Value>(content).is_ok_and(|document| {
            let statements = match &document["Statement"] {
                Value::Array(all) => all.clone(),
                one => vec![one.clone()],
            };
            !statements.is_empty() && statements.iter().all(|one| one["Effect"] == "Deny")
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jobs(forge: Forge, git_ref: Option<GitRef>, protected: bool) -> Federation {
        Federation {
            forge,
            issuer: "https://forge.example".to_owned(),
            project: "team/site".to_owned(),
            git_ref,
            protected,
            networks: BTreeSet::new(),
            session_hours: None,
        }
    }

    #[test]
    fn what_aws_cannot_tell_apart_is_refused_and_never_widened() {
        let environment = || Some(GitRef::Environment("production".to_owned()));
        let branch = || Some(GitRef::Branch("main".to_owned()));
        assert!(check_forge(&jobs(Forge::Gitlab, environment(), false)).is_err());
        assert!(check_forge(&jobs(Forge::Gitlab, branch(), true)).is_ok());
        assert!(check_forge(&jobs(Forge::Github, environment(), true)).is_ok());
        assert!(
            !subject_claim(&jobs(Forge::Gitlab, environment(), false)).contains('*'),
            "and if it were not refused, it would let nobody in"
        );
    }

    #[test]
    fn claims_are_what_the_forges_write() {
        let branch = || Some(GitRef::Branch("main".to_owned()));
        let tag = || Some(GitRef::Tag("v*".to_owned()));
        let environment = || Some(GitRef::Environment("production".to_owned()));
        for (jobs, expected) in [
            (
                jobs(Forge::Gitlab, branch(), false),
                "project_path:team/site:ref_type:branch:ref:main",
            ),
            (
                jobs(Forge::Gitlab, branch(), true),
                "project_path:team/site:ref_type:branch:ref:main:ref_protected:true",
            ),
            (jobs(Forge::Gitlab, tag(), false), "project_path:team/site:ref_type:tag:ref:v*"),
            (
                jobs(Forge::Gitlab, None, true),
                "project_path:team/site:ref_type:*:ref:*:ref_protected:true",
            ),
            (jobs(Forge::Gitlab, None, false), "project_path:team/site:*"),
            (jobs(Forge::Github, branch(), false), "repo:team/site:ref:refs/heads/main"),
            (jobs(Forge::Github, tag(), false), "repo:team/site:ref:refs/tags/v*"),
            (jobs(Forge::Github, environment(), true), "repo:team/site:environment:production"),
            (jobs(Forge::Github, None, false), "repo:team/site:*"),
        ] {
            assert_eq!(subject_claim(&jobs), expected);
        }
    }

    #[test]
    fn descriptions_are_written_in_what_aws_takes() {
        assert_eq!(description("Łukasz – “café”\n日\u{A0}!"), "?ukasz - \"café\" ? !");
        assert_eq!(description(&"x".repeat(2000)).len(), 1000);
    }
}
