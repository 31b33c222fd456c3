//! Directories that never end, are cut, or tell more than they should.

mod cut;
mod endless;
mod names;
