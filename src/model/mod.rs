//! Plain values: the words of the field as types.
//!
//! Architecture invariant: nothing here does I/O, reads a clock or the environment, is
//! asynchronous, or knows the name of a vendor. "Today" is always an argument.
//!
//! The values that appear in a plan derive `Serialize`, `Deserialize` and `JsonSchema`: the plan
//! file is their versioned form (see `plan::file`), and a second, hand-copied set of types would
//! only drift from these.

mod account;
mod directory;
mod identifier;
mod object;
mod private;
mod reading;
mod reason;
mod source;
mod vendor;

pub use account::{Account, Place};
pub use directory::{
    AccountStatus, Directory, DirectoryGroup, DirectoryWarning, GroupIndex, Joined, Person,
    PersonKind, Standing, Via,
};
pub use identifier::{
    AccountName, AttributeName, ChangeId, CredentialKind, DirectoryName, GroupName, GroupRef,
    InvalidIdentifier, Login, ObjectName, OrganisationName, ProjectName, RoleName,
    ServiceAccountName, StableId, VendorId, VendorName,
};
pub use object::{
    Access, AttributeValue, Binding, Credential, GroupSpec, Mark, Membership, ObjectKey,
    ObjectKind, Observed, ObservedAccount, Ownership, RoleSpec, Snapshot, Subject, UserSpec,
};
pub use private::Private;
pub use reading::{Missing, Reading};
pub use reason::Reason;
pub use source::Source;
pub use vendor::{AttributeShape, NameProblem, NameRules, RoleAttribute, VendorFacts};
