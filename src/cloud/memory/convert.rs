//! Between the service's words and ours.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::cloud::{CloudError, ErrorKind};
use crate::model::{
    Access, AttributeName, AttributeValue, GroupSpec, Mark, Observed, OrganisationName, Private,
    RoleSpec, UserSpec,
};

use super::api::{RoleInput, UserInput};
use super::config::{
    DISABLED_TAG, ORGANISATION_TAG, PERMISSIONS, SESSION_HOURS, SUBJECT_TAG, SUSPENDED_TAG, TRUSTS,
};
use super::identity::ownership;
use super::service::state::{Group, Role, Tags, User};

/// A user as we see it.
pub fn user(user: &User, organisation: &OrganisationName) -> Observed<UserSpec> {
    Observed {
        id: user.id.as_str().into(),
        ownership: ownership(&user.tags, organisation),
        spec: UserSpec {
            name: user.name.as_str().into(),
            display_name: user.display_name.clone().map(Private::new),
            email: user.email.clone().map(Private::new),
            access: access(user),
        },
    }
}

/// Whether a user can be used. A day that cannot be read counts as somebody else's doing, and a
/// user who was enabled by hand is enabled, whatever is written on it.
fn access(user: &User) -> Access {
    if user.enabled {
        return Access::Enabled;
    }
    match user.tags.get(SUSPENDED_TAG).and_then(|day| day.parse().ok()) {
        Some(since) => {
            Access::Suspended { since, was_disabled: user.tags.contains_key(DISABLED_TAG) }
        }
        None => Access::Disabled,
    }
}

/// The day of a suspension of ours that is still written on a user who is enabled.
pub fn stale_suspension(user: &User) -> Option<Date> {
    let day = user.tags.get(SUSPENDED_TAG).filter(|_| user.enabled)?;
    day.parse().ok()
}

/// A group as we see it.
pub fn group(group: &Group, organisation: &OrganisationName) -> Observed<GroupSpec> {
    Observed {
        id: group.id.as_str().into(),
        ownership: ownership(&group.tags, organisation),
        spec: GroupSpec { name: group.name.as_str().into() },
    }
}

/// A role as we see it.
pub fn role(role: &Role, organisation: &OrganisationName) -> Observed<RoleSpec> {
    let permissions = AttributeValue::Set(role.permissions.clone());
    let mut attributes = BTreeMap::from([(AttributeName::new(PERMISSIONS), permissions)]);
    if !role.trusts.is_empty() {
        let trusts = AttributeValue::Set(role.trusts.clone());
        attributes.insert(AttributeName::new(TRUSTS), trusts);
    }
    if let Some(hours) = role.session_hours {
        attributes.insert(AttributeName::new(SESSION_HOURS), AttributeValue::Number(hours));
    }
    Observed {
        id: role.id.as_str().into(),
        ownership: ownership(&role.tags, organisation),
        spec: RoleSpec {
            name: role.name.as_str().into(),
            description: role.description.clone(),
            attributes,
        },
    }
}

/// The labels that make an object ours.
pub fn mark_tags(mark: &Mark) -> Tags {
    Tags::from([
        (ORGANISATION_TAG.to_owned(), mark.organisation.to_string()),
        (SUBJECT_TAG.to_owned(), mark.subject.to_string()),
    ])
}

/// A user as the service is to have it. Labels beside ours stay as they are.
pub fn user_input(spec: &UserSpec, mut tags: Tags) -> UserInput {
    tags.remove(SUSPENDED_TAG);
    tags.remove(DISABLED_TAG);
    if let Access::Suspended { since, was_disabled } = spec.access {
        tags.insert(SUSPENDED_TAG.to_owned(), since.to_string());
        if was_disabled {
            tags.insert(DISABLED_TAG.to_owned(), "by somebody else".to_owned());
        }
    }
    UserInput {
        name: spec.name.to_string(),
        display_name: spec.display_name.as_ref().map(|name| name.reveal().clone()),
        email: spec.email.as_ref().map(|email| email.reveal().clone()),
        enabled: spec.access == Access::Enabled,
        tags,
    }
}

/// A role as the service is to have it.
///
/// # Errors
/// [`ErrorKind::Invalid`] for an attribute that is unknown here, missing or of another shape.
pub fn role_input(spec: &RoleSpec, tags: Tags) -> Result<RoleInput, CloudError> {
    let invalid = |message: String| {
        CloudError::new(ErrorKind::Invalid, "PrepareRole", spec.name.as_str(), message)
    };
    let mut permissions = None;
    let mut session_hours = None;
    let mut trusts = BTreeSet::new();
    for (name, value) in &spec.attributes {
        match (name.as_str(), value) {
            (PERMISSIONS, AttributeValue::Set(set)) => permissions = Some(set.clone()),
            (SESSION_HOURS, AttributeValue::Number(hours)) => session_hours = Some(*hours),
            (TRUSTS, AttributeValue::Set(set)) => trusts.clone_from(set),
            _ => return Err(invalid(format!("a role cannot have {name} = {value} here"))),
        }
    }
    Ok(RoleInput {
        name: spec.name.to_string(),
        description: spec.description.clone(),
        permissions: permissions
            .ok_or_else(|| invalid(format!("a role must have {PERMISSIONS}")))?,
        session_hours,
        trusts,
        tags,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_readable_day_on_a_disabled_user_is_a_suspension() {
        let seen = |enabled, day: Option<&str>| {
            let tags = day.map(|day| (SUSPENDED_TAG.to_owned(), day.to_owned()));
            let stored = User {
                id: "u-1".to_owned(),
                name: "anna".to_owned(),
                display_name: None,
                email: None,
                enabled,
                tags: tags.into_iter().collect(),
                revision: 1,
            };
            user(&stored, &"spi".into()).spec.access
        };
        let since = jiff::civil::date(2026, 3, 9);
        assert_eq!(
            seen(false, Some("2026-03-09")),
            Access::Suspended { since, was_disabled: false }
        );
        assert_eq!(seen(false, None), Access::Disabled);
        assert_eq!(seen(false, Some("yesterday")), Access::Disabled);
        assert_eq!(seen(false, Some("")), Access::Disabled);
        assert_eq!(seen(true, None), Access::Enabled);
        assert_eq!(seen(true, Some("2026-03-09")), Access::Enabled);
    }

    #[test]
    fn a_role_says_what_the_vendor_knows_and_nothing_else() {
        let with = |attributes: &[(&str, AttributeValue)]| {
            let attributes =
                attributes.iter().map(|(name, value)| ((*name).into(), value.clone())).collect();
            let spec = RoleSpec { name: "operator".into(), description: String::new(), attributes };
            role_input(&spec, Tags::new()).map_err(|error| error.kind)
        };
        let read = AttributeValue::Set(["read".to_owned()].into());
        assert!(with(&[(PERMISSIONS, read.clone())]).is_ok());
        for wrong in [
            &[][..],
            &[(SESSION_HOURS, AttributeValue::Number(1))],
            &[(PERMISSIONS, AttributeValue::Text("read".to_owned()))],
            &[(PERMISSIONS, read.clone()), ("colour", AttributeValue::Flag(true))],
        ] {
            assert_eq!(with(wrong).unwrap_err(), ErrorKind::Invalid, "{wrong:?}");
        }
    }
}
