//! Plain values: the words of the field as types.
//!
//! Architecture invariant: nothing here does I/O, reads a clock or the environment, is
//! asynchronous, or knows the name of a vendor. "Today" is always an argument.
//!
//! The values that appear in a plan derive `Serialize`, `Deserialize` and `JsonSchema`: the plan
//! file is their versioned form (see `plan::file`), and a second, hand-copied set of types would
//! only drift from these.

mod account;
mod assigned;
mod directory;
mod expiry;
mod federation;
#[cfg(test)]
mod fuzz;
mod identifier;
mod key;
mod kind;
mod object;
mod private;
mod public_key;
mod reading;
mod reason;
mod resource;
mod source;
mod vendor;

pub use account::{Account, Place, Site};
pub use assigned::{Assigned, Doubt, ForeignAssigned};
pub use directory::{
    AccountStatus, Caution, Directory, DirectoryGroup, DirectoryWarning, GroupIndex, Joined,
    Mismatch, Person, PersonKind, ShownTime, Standing, Twins, TwoLists, Unclear, Unmatched, Via,
};
pub use expiry::{Expiry, Nearness, nearness};
pub use federation::{Federation, Forge, GitRef};
pub use identifier::{
    AccountName, AttachmentKind, AttributeName, ChangeId, CredentialKind, DirectoryName, GroupName,
    GroupRef, InvalidIdentifier, Login, MirrorName, ObjectName, OrganisationName, PartName,
    ProjectName, RoleName, SecretName, ServiceAccountName, SinkName, StableId, TrustName, VendorId,
    VendorName, is_name,
};
pub use key::{Handovers, IssuedKey, KeyRotation};
pub use kind::{Ending, Kind, KindFacts, ResourceKind};
pub use object::{
    Access, Attachment, AttributeValue, Binding, Credential, GroupSpec, HeldAttachment, HolderKind,
    Mark, Membership, ObjectKey, Observed, ObservedAccount, Ownership, Quota, RoleSpec, Snapshot,
    Subject, UserSpec,
};
pub use private::Private;
pub use public_key::{InvalidKey, PublicKey, unhex};
pub use reading::{Missing, Reading};
pub use reason::Reason;
pub use resource::{Output, Outputs, Reference, ResourceSpec, SeenResource, State, Value};
pub use source::Source;
pub use vendor::{
    AttributeFacts, AttributeShape, Lacking, NameProblem, NameRules, RealisedProvider,
    RealisedRole, RoleInputs, Trust, VendorFacts, any_forge, any_value, no_forge, no_settings,
    nothing_forbids,
};
