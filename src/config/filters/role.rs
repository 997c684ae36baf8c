//! `role`: which of those who are known go on.

use sidegate_filters::role::RoleDemand;

use super::{Known, internal_callers};
use crate::config::field::Field;
use crate::config::section::Section;

/// `one-of`, `all-of` and `internal-callers`.
pub(super) fn read(section: &Section<'_>, known: &Known<'_>) -> RoleDemand {
    let (one_of, all_of) = (section.field("one-of"), section.field("all-of"));
    let (neither, right) = ("neither one-of nor all-of is written", "list the roles that a user needs");
    section.demand_some(&["one-of", "all-of"], neither, right);
    for list in [&one_of, &all_of] {
        list.refuse_empty("list roles, or take the key away");
    }
    RoleDemand {
        one_of: one_of.each(Field::optional),
        all_of: all_of.each(Field::optional),
        internal: internal_callers(section, known),
    }
}
