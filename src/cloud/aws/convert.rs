//! Between IAM's words and ours.

use std::collections::BTreeMap;

use aws_sdk_iam::types::{
    AttachedPermissionsBoundary, AttachedPolicy, GroupDetail, PolicyDetail, Role, RoleDetail, Tag,
    UserDetail,
};

use super::config::SUSPENDED_TAG;
use super::document;
use super::identity::{Marked, group_ownership, ownership};
use super::raw::RoleExtra;
use super::realise::{BOUNDARY, INLINE, MANAGED, SESSION_HOURS, TRUST};
use crate::model::{
    Access, Attachment, AttributeName, AttributeValue, GroupSpec, HeldAttachment, HolderKind,
    Observed, OrganisationName, RoleSpec, UserSpec, VendorId,
};

/// Kind of attachment of a user: what bounds it, named by its ARN.
pub const USER_BOUNDARY: &str = "boundary";

/// Whether a user can be used: IAM has no word for it, so a tag says that we suspended it. A day
/// that cannot be read is no suspension: the user is suspended again.
fn access(tags: &[Tag]) -> Access {
    let day = tags.iter().find(|tag| tag.key == SUSPENDED_TAG).map(|tag| tag.value.parse());
    match day {
        // Nobody can be disabled, by hand or otherwise.
        Some(Ok(since)) => Access::Suspended { since, was_disabled: false },
        Some(Err(_)) | None => Access::Enabled,
    }
}

/// A user as we see it.
pub fn user(
    id: &str,
    name: &str,
    path: &str,
    tags: &[Tag],
    organisation: &OrganisationName,
) -> Observed<UserSpec> {
    Observed {
        id: VendorId::new(id),
        ownership: ownership(Marked::User, path, tags, organisation),
        spec: UserSpec { name: name.into(), display_name: None, email: None, access: access(tags) },
    }
}

/// A user of the bulk reading; `None` if it has no id or name, which never happens.
pub fn user_detail(
    user: &UserDetail,
    organisation: &OrganisationName,
) -> Option<Observed<UserSpec>> {
    let (id, name) = (user.user_id.as_deref()?, user.user_name.as_deref()?);
    let path = user.path.as_deref().unwrap_or("/");
    Some(self::user(id, name, path, user.tags.as_deref().unwrap_or_default(), organisation))
}

/// A group as we see it.
pub fn group(
    id: &str,
    name: &str,
    path: &str,
    organisation: &OrganisationName,
) -> Observed<GroupSpec> {
    Observed {
        id: VendorId::new(id),
        ownership: group_ownership(path, organisation),
        spec: GroupSpec { name: name.into() },
    }
}

/// A group of the bulk reading.
pub fn group_detail(
    group: &GroupDetail,
    organisation: &OrganisationName,
) -> Option<Observed<GroupSpec>> {
    let (id, name) = (group.group_id.as_deref()?, group.group_name.as_deref()?);
    Some(self::group(id, name, group.path.as_deref().unwrap_or("/"), organisation))
}

/// A role of the bulk reading, with what it lacks.
pub fn role_detail(
    role: &RoleDetail,
    extra: &RoleExtra,
    organisation: &OrganisationName,
) -> Option<Observed<RoleSpec>> {
    let (id, name) = (role.role_id.as_deref()?, role.role_name.as_deref()?);
    let tags = role.tags.as_deref().unwrap_or_default();
    let path = role.path.as_deref().unwrap_or("/");
    Some(Observed {
        id: VendorId::new(id),
        ownership: ownership(Marked::Tagged, path, tags, organisation),
        spec: role_spec(
            name,
            &extra.description,
            role.assume_role_policy_document.as_deref(),
            extra.session_seconds,
            role.permissions_boundary.as_ref(),
        ),
    })
}

/// A role as looked at.
pub fn role(role: &Role, organisation: &OrganisationName) -> Observed<RoleSpec> {
    Observed {
        id: VendorId::new(role.role_id.as_str()),
        ownership: ownership(
            Marked::Tagged,
            &role.path,
            role.tags.as_deref().unwrap_or_default(),
            organisation,
        ),
        spec: role_spec(
            &role.role_name,
            role.description.as_deref().unwrap_or_default(),
            role.assume_role_policy_document.as_deref(),
            role.max_session_duration.unwrap_or(3600),
            role.permissions_boundary.as_ref(),
        ),
    }
}

fn role_spec(
    name: &str,
    description: &str,
    trust: Option<&str>,
    session_seconds: i32,
    boundary: Option<&AttachedPermissionsBoundary>,
) -> RoleSpec {
    let session = if session_seconds % 3600 == 0 {
        AttributeValue::Number(i64::from(session_seconds / 3600))
    } else {
        AttributeValue::Text(format!("{session_seconds} seconds"))
    };
    let mut attributes: BTreeMap<AttributeName, AttributeValue> = BTreeMap::from([
        (TRUST.into(), AttributeValue::Text(document::normal(trust.unwrap_or_default()))),
        (SESSION_HOURS.into(), session),
    ]);
    if let Some(arn) = boundary.and_then(|boundary| boundary.permissions_boundary_arn.clone()) {
        attributes.insert(BOUNDARY.into(), AttributeValue::Text(arn));
    }
    RoleSpec { name: name.into(), description: description.to_owned(), attributes }
}

/// What is attached to a holder, from its lists.
pub fn attachments(
    holder_kind: HolderKind,
    holder: &VendorId,
    inline: &[PolicyDetail],
    managed: &[AttachedPolicy],
) -> Vec<HeldAttachment> {
    let held = |attachment| HeldAttachment { holder_kind, holder: holder.clone(), attachment };
    let inline = inline.iter().filter_map(|policy| {
        let content = document::normal(policy.policy_document.as_deref().unwrap_or_default());
        Some(Attachment {
            kind: INLINE.into(),
            name: policy.policy_name.as_deref()?.into(),
            content: Some(content),
        })
    });
    let managed = managed.iter().filter_map(|policy| {
        let name = policy.policy_arn.as_deref()?.into();
        Some(Attachment { kind: MANAGED.into(), name, content: None })
    });
    inline.chain(managed).map(held).collect()
}

/// The boundary of a user as an attachment.
pub fn boundary(
    holder: &VendorId,
    boundary: &AttachedPermissionsBoundary,
) -> Option<HeldAttachment> {
    let name = boundary.permissions_boundary_arn.as_deref()?.into();
    let attachment = Attachment { kind: USER_BOUNDARY.into(), name, content: None };
    Some(HeldAttachment { holder_kind: HolderKind::User, holder: holder.clone(), attachment })
}
