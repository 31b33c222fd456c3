//! Which steps make an id known.

use crate::plan::{Act, Step};

/// Whether other changes may refer to an id this step makes known.
pub(super) fn makes_id(step: &Step) -> bool {
    step.act() == Act::Create
}
