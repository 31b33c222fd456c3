//! Users, groups and memberships; and whose an object is.

use jiff::civil::Date;

use super::api::{Reply, UserInput, Which};
use super::client::{Client, changed_since, done, made};
use super::config::{ORGANISATION_TAG, SUBJECT_TAG};
use super::convert;
use super::service::state::{Group, Tags, User};
use super::service::world::Operation;
use crate::cloud::{Applied, CloudError, ErrorKind};
use crate::model::{
    Access, Credential, GroupSpec, Mark, OrganisationName, Ownership, Subject, UserSpec, VendorId,
};

/// Whose an object is: the one rule, on its labels alone.
///
/// Ours, if [`ORGANISATION_TAG`] is the organisation's name and [`SUBJECT_TAG`] says whom it
/// stands for; unmarked, if it has neither label; damaged, if one of them is missing, or does not
/// say whom it stands for; somebody else's, if it names another organisation.
pub fn ownership(tags: &Tags, organisation: &OrganisationName) -> Ownership {
    let damaged = |why: String, subject| Ownership::Damaged { why, subject };
    match (tags.get(ORGANISATION_TAG), tags.get(SUBJECT_TAG)) {
        (None, None) => Ownership::Unmarked,
        (Some(found), subject) if found == organisation.as_str() => {
            match subject.map(|subject| (subject, subject.parse())) {
                Some((_, Ok(subject))) => Ownership::Ours(subject),
                Some((subject, Err(_))) => damaged(format!("subject {subject:?}"), None),
                None => damaged("no label for whom it stands".to_owned(), None),
            }
        }
        (Some(found), _) => Ownership::Theirs(found.clone()),
        (None, Some(subject)) => match subject.parse() {
            Ok(subject) => damaged("no label of the organisation".to_owned(), Some(subject)),
            Err(_) => Ownership::Theirs(format!("no organisation, subject {subject}")),
        },
    }
}

impl Client {
    pub(super) async fn user(&self, which: Which<'_>) -> Result<Reply<User>, CloudError> {
        let (Which::Id(object) | Which::Name(object)) = which;
        self.call(Operation::GetUser, object, self.service.get_user(which)).await
    }

    pub(super) async fn group(&self, which: Which<'_>) -> Result<Reply<Group>, CloudError> {
        let (Which::Id(object) | Which::Name(object)) = which;
        self.call(Operation::GetGroup, object, self.service.get_group(which)).await
    }

    /// A user of ours, as stored and as we see it.
    pub(super) async fn our_user(
        &self,
        operation: Operation,
        id: &VendorId,
        subject: &Subject,
    ) -> Result<(User, UserSpec), CloudError> {
        let found = self.user(Which::Id(id.as_str())).await?.body;
        let observed = convert::user(&found, &self.organisation);
        self.must_be_ours(operation, id.as_str(), &observed.ownership, Some(subject))?;
        Ok((found, observed.spec))
    }

    pub(super) async fn our_group(
        &self,
        operation: Operation,
        id: &VendorId,
        subject: Option<&Subject>,
    ) -> Result<Group, CloudError> {
        let found = self.group(Which::Id(id.as_str())).await?.body;
        let ownership = ownership(&found.tags, &self.organisation);
        self.must_be_ours(operation, id.as_str(), &ownership, subject)?;
        Ok(found)
    }

    pub(super) fn mark(&self, subject: &Subject) -> Tags {
        let organisation = self.organisation.clone();
        convert::mark_tags(&Mark { organisation, subject: subject.clone() })
    }

    pub(super) async fn create_user(
        &self,
        subject: &Subject,
        spec: &UserSpec,
    ) -> Result<Applied, CloudError> {
        let input = convert::user_input(spec, self.mark(subject));
        let call = self.service.create_user(input);
        let reply = self.call(Operation::CreateUser, spec.name.as_str(), call).await?;
        Ok(made(&reply.body.id, reply.request_id))
    }

    pub(super) async fn update_user(
        &self,
        id: &VendorId,
        subject: &Subject,
        before: &UserSpec,
        after: &UserSpec,
    ) -> Result<Applied, CloudError> {
        let (found, now) = self.our_user(Operation::UpdateUser, id, subject).await?;
        let wanted = UserSpec { access: now.access, ..after.clone() };
        if now == wanted {
            return Ok(Applied::default());
        }
        if now != (UserSpec { access: now.access, ..before.clone() }) {
            return Err(changed_since(Operation::UpdateUser, id.as_str()));
        }
        self.put_user(found, &wanted).await
    }

    pub(super) async fn suspend_user(
        &self,
        id: &VendorId,
        subject: &Subject,
        before: &UserSpec,
        on: Date,
    ) -> Result<Applied, CloudError> {
        self.set_access(id, subject, before.access, before.access.suspended(on)).await
    }

    pub(super) async fn restore_user(
        &self,
        id: &VendorId,
        subject: &Subject,
        before: &UserSpec,
    ) -> Result<Applied, CloudError> {
        let after = before.access.without_suspension();
        let (found, now) = self.our_user(Operation::UpdateUser, id, subject).await?;
        if now.access == after && convert::stale_suspension(&found).is_some() {
            let input = convert::user_input(&now, found.tags.clone());
            return self.put(&found, input).await;
        }
        self.set_access(id, subject, before.access, after).await
    }

    async fn set_access(
        &self,
        id: &VendorId,
        subject: &Subject,
        before: Access,
        after: Access,
    ) -> Result<Applied, CloudError> {
        let (found, now) = self.our_user(Operation::UpdateUser, id, subject).await?;
        if now.access == after {
            return Ok(Applied::default());
        }
        if now.access != before {
            return Err(changed_since(Operation::UpdateUser, id.as_str()));
        }
        let input = convert::user_input(&UserSpec { access: after, ..now }, found.tags.clone());
        self.put(&found, input).await
    }

    async fn put_user(&self, found: User, wanted: &UserSpec) -> Result<Applied, CloudError> {
        let input = if wanted.access == Access::Disabled {
            // Nothing of ours says so, and nothing of ours changes it.
            let input = convert::user_input(wanted, found.tags.clone());
            UserInput { tags: found.tags.clone(), ..input }
        } else {
            convert::user_input(wanted, found.tags.clone())
        };
        self.put(&found, input).await
    }

    async fn put(&self, found: &User, input: UserInput) -> Result<Applied, CloudError> {
        let call = self.service.update_user(&found.id, found.revision, input);
        self.call(Operation::UpdateUser, &found.id, call).await.map(done)
    }

    pub(super) async fn delete_user(
        &self,
        id: &VendorId,
        subject: &Subject,
        before: &UserSpec,
    ) -> Result<Applied, CloudError> {
        let (found, now) = self.our_user(Operation::DeleteUser, id, subject).await?;
        if now != *before {
            return Err(changed_since(Operation::DeleteUser, id.as_str()));
        }
        let call = self.service.delete_user(id.as_str(), found.revision);
        self.call(Operation::DeleteUser, id.as_str(), call).await.map(done)
    }

    pub(super) async fn revoke(
        &self,
        subject: &Subject,
        credential: &Credential,
    ) -> Result<Applied, CloudError> {
        self.our_user(Operation::DeleteCredential, &credential.user, subject).await?;
        let (user, id) = (credential.user.as_str(), credential.id.as_str());
        let call = self.service.delete_credential(user, id);
        self.call(Operation::DeleteCredential, id, call).await.map(done)
    }

    pub(super) async fn create_group(
        &self,
        subject: &Subject,
        spec: &GroupSpec,
    ) -> Result<Applied, CloudError> {
        let name = spec.name.as_str();
        let call = self.service.create_group(name, self.mark(subject));
        let reply = self.call(Operation::CreateGroup, name, call).await?;
        Ok(made(&reply.body.id, reply.request_id))
    }

    pub(super) async fn update_group(
        &self,
        id: &VendorId,
        subject: &Subject,
        before: &GroupSpec,
        after: &GroupSpec,
    ) -> Result<Applied, CloudError> {
        let found = self.our_group(Operation::UpdateGroup, id, Some(subject)).await?;
        let GroupSpec { name } = after;
        if found.name == name.as_str() {
            return Ok(Applied::default());
        }
        if found.name != before.name.as_str() {
            return Err(changed_since(Operation::UpdateGroup, id.as_str()));
        }
        let call = self.service.update_group(id.as_str(), found.revision, name.as_str(), None);
        self.call(Operation::UpdateGroup, id.as_str(), call).await.map(done)
    }

    pub(super) async fn delete_group(
        &self,
        id: &VendorId,
        subject: &Subject,
        before: &GroupSpec,
    ) -> Result<Applied, CloudError> {
        let found = self.our_group(Operation::DeleteGroup, id, Some(subject)).await?;
        if found.name != before.name.as_str() {
            return Err(changed_since(Operation::DeleteGroup, id.as_str()));
        }
        let call = self.service.delete_group(id.as_str(), found.revision);
        self.call(Operation::DeleteGroup, id.as_str(), call).await.map(done)
    }

    /// Both must be ours: nobody else's user gets anything from us.
    pub(super) async fn add_member(
        &self,
        group: &VendorId,
        user: &VendorId,
    ) -> Result<Applied, CloudError> {
        let operation = Operation::AddMember;
        self.our_group(operation, group, None).await?;
        let found = self.user(Which::Id(user.as_str())).await?.body;
        let ownership = ownership(&found.tags, &self.organisation);
        self.must_be_ours(operation, user.as_str(), &ownership, None)?;
        let call = self.service.add_member(user.as_str(), group.as_str());
        self.call(operation, user.as_str(), call).await.map(done)
    }

    /// A membership is its group's: the group must be ours; except that a user of ours may leave
    /// any group.
    pub(super) async fn remove_member(
        &self,
        group: &VendorId,
        user: &VendorId,
        subject: Option<&Subject>,
    ) -> Result<Applied, CloudError> {
        let operation = Operation::RemoveMember;
        match (self.our_group(operation, group, None).await, subject) {
            (Err(error), Some(subject)) if error.kind == ErrorKind::Foreign => {
                self.our_user(operation, user, subject).await?;
            }
            (result, _) => {
                result?;
            }
        }
        let call = self.service.remove_member(user.as_str(), group.as_str());
        self.call(operation, user.as_str(), call).await.map(done)
    }

    /// Whether the error says that the object is gone.
    pub(super) fn is_gone<T>(result: &Result<T, CloudError>) -> bool {
        matches!(result, Err(error) if error.kind == ErrorKind::NotFound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(tags: &[(&str, &str)]) -> Ownership {
        let tags = tags.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
        ownership(&tags, &"spi".into())
    }

    #[test]
    fn only_a_whole_mark_of_the_same_organisation_makes_an_object_ours() {
        let subject = || "person:debian:2345".parse().unwrap();
        let ours = [(ORGANISATION_TAG, "spi"), (SUBJECT_TAG, "person:debian:2345")];
        assert_eq!(of(&ours), Ownership::Ours(subject()));
        assert_eq!(of(&[ours[0], ours[1], ("colour", "red")]), Ownership::Ours(subject()));
        assert_eq!(of(&[]), Ownership::Unmarked);
        assert_eq!(of(&[("organisation", "spi"), ("subject", "role:x")]), Ownership::Unmarked);
        for (damaged, whose) in [
            (&[ours[0]][..], None),
            (&[ours[1]], Some(subject())),
            (&[ours[0], (SUBJECT_TAG, "")], None),
            (&[ours[0], (SUBJECT_TAG, "person:debian")], None),
            (&[ours[0], (SUBJECT_TAG, "planet:debian:2345")], None),
        ] {
            let Ownership::Damaged { subject, .. } = of(damaged) else { panic!("{damaged:?}") };
            assert_eq!(subject, whose, "{damaged:?}");
        }
        for theirs in [
            &[(SUBJECT_TAG, "person:debian")][..],
            &[(ORGANISATION_TAG, "SPI")],
            &[(ORGANISATION_TAG, "SPI"), ours[1]],
            &[(ORGANISATION_TAG, "spi "), ours[1]],
            &[(ORGANISATION_TAG, ""), ours[1]],
        ] {
            assert!(matches!(of(theirs), Ownership::Theirs(_)), "{theirs:?}");
        }
    }
}
