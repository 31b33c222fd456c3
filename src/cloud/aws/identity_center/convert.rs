//! Between the identity store's words and ours.

use aws_sdk_identitystore::error::BuildError;
use aws_sdk_identitystore::operation::describe_group::DescribeGroupOutput;
use aws_sdk_identitystore::operation::describe_user::DescribeUserOutput;
use aws_sdk_identitystore::types::{AttributeOperation, Email, Group, Name, User, UserStatus};
use aws_smithy_types::Document;

use super::mark;
use crate::model::{
    Access, GroupSpec, Observed, OrganisationName, Ownership, Private, UserSpec, VendorId,
};

/// The family name of a user who has no full name: the store insists on one.
const NO_NAME: &str = "-";

/// A user as the identity store has it, from a list or a look.
pub struct Person {
    /// Its id.
    pub id: VendorId,
    /// For conditional writes; `None` where the service gives none.
    pub revision: Option<String>,
    /// What it says about whose it is.
    pub user_type: Option<String>,
    /// As we see it.
    pub seen: Observed<UserSpec>,
}

/// A group as the identity store has it, from a list or a look.
pub struct Crowd {
    /// Its id.
    pub id: VendorId,
    /// For conditional writes; `None` where the service gives none.
    pub revision: Option<String>,
    /// What it says for people, and about whose it is.
    pub description: String,
    /// As we see it.
    pub seen: Observed<GroupSpec>,
}

/// What of a user matters.
struct Parts<'a> {
    id: &'a str,
    revision: &'a str,
    user_name: Option<&'a str>,
    display_name: Option<&'a str>,
    name: Option<&'a Name>,
    emails: &'a [Email],
    user_type: Option<&'a str>,
    status: Option<&'a UserStatus>,
    external: bool,
}

macro_rules! parts {
    ($user:expr) => {
        Parts {
            id: $user.user_id(),
            revision: $user.revision(),
            user_name: $user.user_name(),
            display_name: $user.display_name(),
            name: $user.name(),
            emails: $user.emails(),
            user_type: $user.user_type(),
            status: $user.user_status(),
            external: !$user.external_ids().is_empty(),
        }
    };
}

/// A user of a list; `None` if it lacks what every user has.
pub fn listed_user(user: &User, organisation: &OrganisationName) -> Option<Person> {
    person(&parts!(user), organisation)
}

/// A user that was looked at; `None` if it lacks what every user has.
pub fn described_user(
    user: &DescribeUserOutput,
    organisation: &OrganisationName,
) -> Option<Person> {
    person(&parts!(user), organisation)
}

fn person(parts: &Parts<'_>, organisation: &OrganisationName) -> Option<Person> {
    let name = parts.user_name.filter(|name| !name.is_empty())?;
    if parts.id.is_empty() {
        return None;
    }
    let (written, day) = mark::of_user_type(parts.user_type);
    let family = parts.name.and_then(Name::family_name);
    let nameless = parts.display_name == Some(name) && family == Some(NO_NAME);
    let display_name = parts.display_name.filter(|_| !nameless).map(str::to_owned);
    let id = VendorId::new(parts.id);
    Some(Person {
        id: id.clone(),
        revision: some(parts.revision),
        user_type: parts.user_type.map(str::to_owned),
        seen: Observed {
            id,
            ownership: mark::ownership(&written, parts.external, organisation),
            spec: UserSpec {
                name: name.into(),
                display_name: display_name.map(Private::new),
                email: email(parts.emails).map(Private::new),
                access: access(day, parts.status),
            },
        },
    })
}

/// Whether a user can be used.
///
/// What is written by us counts first: a suspended user has lost all memberships, whatever else
/// somebody did in the console. There users can be disabled, which no API does or undoes, whether
/// before or after the suspension; that, and a day that cannot be read, is somebody else's doing.
///
/// So there is no stale suspension (`ObservedAccount::stale_suspensions`) to see here: whom we suspend
/// stays enabled, which tells nothing of whether somebody wanted to let them in again. Nor is one to be
/// feared: who is disabled later under our day reads as disabled by somebody else, and restoring takes
/// off the day and nothing else.
fn access(day: Option<&str>, status: Option<&UserStatus>) -> Access {
    let is_disabled = status == Some(&UserStatus::Disabled);
    match day.map(str::parse) {
        Some(Ok(since)) => Access::Suspended { since, was_disabled: is_disabled },
        Some(Err(_)) => Access::Disabled,
        None if is_disabled => Access::Disabled,
        None => Access::Enabled,
    }
}

/// The primary mail address, or the only one.
fn email(emails: &[Email]) -> Option<String> {
    let primary = emails.iter().find(|email| email.primary).or_else(|| emails.first());
    primary.and_then(Email::value).map(str::to_owned)
}

/// A group of a list; `None` if it lacks what every group has.
pub fn listed_group(group: &Group, organisation: &OrganisationName) -> Option<Crowd> {
    let external = !group.external_ids().is_empty();
    let (id, revision, name) = (group.group_id(), group.revision(), group.display_name());
    crowd(id, revision, name, group.description(), external, organisation)
}

/// A group that was looked at; `None` if it lacks what every group has.
pub fn described_group(
    group: &DescribeGroupOutput,
    organisation: &OrganisationName,
) -> Option<Crowd> {
    let external = !group.external_ids().is_empty();
    let (id, revision, name) = (group.group_id(), group.revision(), group.display_name());
    crowd(id, revision, name, group.description(), external, organisation)
}

fn crowd(
    id: &str,
    revision: &str,
    name: Option<&str>,
    description: Option<&str>,
    external: bool,
    organisation: &OrganisationName,
) -> Option<Crowd> {
    let name = name.filter(|name| !name.is_empty() && !id.is_empty())?;
    let ownership: Ownership =
        mark::ownership(&mark::of_description(description), external, organisation);
    let id = VendorId::new(id);
    Some(Crowd {
        id: id.clone(),
        revision: some(revision),
        description: description.unwrap_or_default().to_owned(),
        seen: Observed { id, ownership, spec: GroupSpec { name: name.into() } },
    })
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

/// The names a user is created with: full, given and family name, all of which the store insists
/// on. They are derived: the last word is the family name, and a name of one word is both.
pub struct Names {
    /// `DisplayName`.
    pub display: String,
    /// `Name.GivenName`.
    pub given: String,
    /// `Name.FamilyName`.
    pub family: String,
}

/// The names of a user as it should be.
pub fn names(spec: &UserSpec) -> Names {
    let Some(full) = spec.display_name.as_ref().map(Private::reveal) else {
        let login = spec.name.to_string();
        return Names { display: login.clone(), given: login, family: NO_NAME.to_owned() };
    };
    let (given, family) = full.trim().rsplit_once(' ').unwrap_or((full, full));
    Names { display: full.clone(), given: given.trim().to_owned(), family: family.to_owned() }
}

/// The operations that make one user another. Their paths are spelled as the API wants them
/// (`userName`; `UserName`, as it is everywhere else, is "not supported").
///
/// # Errors
/// None; the SDK's way of making an operation has one.
pub fn user_operations(
    before: &UserSpec,
    after: &UserSpec,
) -> Result<Vec<AttributeOperation>, BuildError> {
    let mut operations = Vec::new();
    if before.name != after.name {
        operations.push(set("userName", Some(after.name.as_str().into()))?);
    }
    let renamed = before.name != after.name && after.display_name.is_none();
    if before.display_name != after.display_name || renamed {
        let Names { display, given, family } = names(after);
        operations.push(set("displayName", Some(display.into()))?);
        operations.push(set("name.givenName", Some(given.into()))?);
        operations.push(set("name.familyName", Some(family.into()))?);
    }
    if before.email != after.email {
        let emails = after.email.as_ref().map(|email| {
            let email = [
                ("value".to_owned(), Document::from(email.reveal().clone())),
                ("type".to_owned(), Document::from("work")),
                ("primary".to_owned(), Document::from(true)),
            ];
            Document::Array(vec![Document::Object(email.into_iter().collect())])
        });
        operations.push(set("emails", emails)?);
    }
    Ok(operations)
}

/// Writes an attribute, or removes it.
///
/// # Errors
/// None; the SDK's way of making an operation has one.
pub fn set(path: &str, value: Option<Document>) -> Result<AttributeOperation, BuildError> {
    AttributeOperation::builder().attribute_path(path).set_attribute_value(value).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(name: &str, full: Option<&str>) -> UserSpec {
        UserSpec {
            name: name.into(),
            display_name: full.map(|full| Private::new(full.to_owned())),
            email: None,
            access: Access::Enabled,
        }
    }

    #[test]
    fn every_user_has_a_given_and_a_family_name() {
        for (full, given, family) in [
            (Some("Änne van der Berg"), "Änne van der", "Berg"),
            (Some("Prince"), "Prince", "Prince"),
            (Some(" Anna  Bo "), "Anna", "Bo"),
            (None, "anna", "-"),
        ] {
            let names = names(&spec("anna", full));
            assert_eq!((names.given.as_str(), names.family.as_str()), (given, family));
            assert_eq!(names.display, full.unwrap_or("anna"));
        }
    }

    #[test]
    fn a_user_without_a_name_is_told_from_one_called_like_the_login() {
        for full in [None, Some("anna")] {
            let wanted = spec("anna", full);
            let names = names(&wanted);
            let name = Name::builder().given_name(names.given).family_name(names.family).build();
            let user = User::builder()
                .identity_store_id("d-1")
                .user_id("1")
                .user_arn("arn")
                .revision("")
                .user_name("anna")
                .display_name(names.display)
                .name(name)
                .build()
                .unwrap();
            let person = listed_user(&user, &"spi".into()).unwrap();
            assert_eq!(person.seen.spec, wanted);
            assert_eq!(person.revision, None);
        }
    }

    #[test]
    fn only_what_differs_is_written() {
        let paths = |before: &UserSpec, after: &UserSpec| {
            let operations = user_operations(before, after).unwrap();
            operations.iter().map(|one| one.attribute_path.clone()).collect::<Vec<_>>().join(" ")
        };
        let (anna, berta) = (spec("anna", Some("A B")), spec("berta", Some("A B")));
        assert_eq!(paths(&anna, &anna), "");
        assert_eq!(paths(&anna, &berta), "userName");
        assert_eq!(
            paths(&spec("anna", None), &spec("berta", None)),
            "userName displayName name.givenName name.familyName"
        );
        let email = Some(Private::new("a@example.org".to_owned()));
        assert_eq!(paths(&anna, &UserSpec { email, ..anna.clone() }), "emails");
    }

    #[test]
    fn our_word_counts_before_the_status() {
        let disabled = Some(&UserStatus::Disabled);
        let since = jiff::civil::date(2026, 3, 9);
        assert_eq!(access(None, None), Access::Enabled);
        assert_eq!(access(None, Some(&UserStatus::Enabled)), Access::Enabled);
        assert_eq!(access(None, disabled), Access::Disabled);
        assert_eq!(access(Some("2026-03-09"), disabled), Access::Disabled.suspended(since));
        assert_eq!(access(Some("2026-03-09"), None), Access::Enabled.suspended(since));
        assert_eq!(access(Some("soon"), None), Access::Disabled);
    }
}
