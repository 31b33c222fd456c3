//! What people wrote about mirrors: which archive is served from where, under which name, by whom.
//!
//! Nothing here is one vendor's: the account says which vendor a mirror is at, and the vendor's
//! facts say what a size, a region or a release is there. The same file with another account is the
//! same mirror elsewhere.
//!
//! Rights of the policies (`rights`) do not speak of mirrors yet: whoever may change a file below
//! `mirrors/` may define any.

mod against_directory;
pub mod as_written;
mod host_name;
pub(crate) mod resolve;
mod value;

pub use against_directory::findings as against_directory;
pub use host_name::HostName;
pub use value::{
    Archive, Authority, Ceiling, Currency, Delegation, Form, Mirror, ParentZone, Region,
    RegionName, Release, Size, Topology, Upstream,
};

/// The JSON Schema of the files below `mirrors/`.
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(as_written::MirrorsFile)
}
