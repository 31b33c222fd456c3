//! Putting our mark on what exists without one.

use super::api::Which;
use super::client::{Client, done};
use super::convert;
use super::identity::ownership;
use super::service::state::Tags;
use super::service::world::Operation;
use crate::cloud::{Applied, CloudError, ErrorKind};
use crate::model::{HolderKind, Ownership, Subject, VendorId};

impl Client {
    /// Adds the mark to the labels; whatever carries one already is refused, unless it is this
    /// very mark, or the one that it takes the place of.
    pub(super) async fn adopt(
        &self,
        kind: HolderKind,
        id: &VendorId,
        from: Option<&Subject>,
        subject: &Subject,
    ) -> Result<Applied, CloudError> {
        let which = Which::Id(id.as_str());
        match kind {
            HolderKind::User => {
                let found = self.user(which).await?.body;
                let operation = Operation::UpdateUser;
                let Some(tags) = self.marked(operation, id, &found.tags, (from, subject))? else {
                    return Ok(Applied::default());
                };
                let spec = convert::user(&found, &self.organisation).spec;
                let input =
                    super::api::UserInput { tags, ..convert::user_input(&spec, Tags::new()) };
                let call = self.service.update_user(id.as_str(), found.revision, input);
                self.call(operation, id.as_str(), call).await.map(done)
            }
            HolderKind::Group => {
                let found = self.group(which).await?.body;
                let operation = Operation::UpdateGroup;
                let Some(tags) = self.marked(operation, id, &found.tags, (from, subject))? else {
                    return Ok(Applied::default());
                };
                let (revision, name) = (found.revision, found.name.as_str());
                let call = self.service.update_group(id.as_str(), revision, name, Some(tags));
                self.call(operation, id.as_str(), call).await.map(done)
            }
            HolderKind::Role => {
                let found = self.role(which).await?.body;
                let operation = Operation::UpdateRole;
                let Some(tags) = self.marked(operation, id, &found.tags, (from, subject))? else {
                    return Ok(Applied::default());
                };
                let spec = convert::role(&found, &self.organisation).spec;
                let input = convert::role_input(&spec, tags)?;
                let call = self.service.update_role(id.as_str(), found.revision, input);
                self.call(operation, id.as_str(), call).await.map(done)
            }
        }
    }

    /// The labels with the mark; `None` if they have it.
    fn marked(
        &self,
        operation: Operation,
        id: &VendorId,
        tags: &Tags,
        (from, subject): (Option<&Subject>, &Subject),
    ) -> Result<Option<Tags>, CloudError> {
        let whose = match ownership(tags, &self.organisation) {
            other if other.may_pass(from, subject) => {
                let mut tags = tags.clone();
                tags.extend(self.mark(subject));
                return Ok(Some(tags));
            }
            Ownership::Ours(found) if found == *subject => return Ok(None),
            Ownership::Ours(found) => format!("it stands for {found} already"),
            Ownership::Unmarked => "it carries no mark".to_owned(),
            Ownership::Damaged { why, .. } => format!("its mark is damaged: {why}"),
            Ownership::Theirs(mark) => format!("it carries another mark: {mark}"),
        };
        Err(CloudError::new(ErrorKind::Foreign, operation.name(), id.as_str(), whose))
    }
}
