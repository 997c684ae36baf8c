//! `rate-limit`: how many requests of one origin pass.

use std::num::NonZeroU32;
use std::time::Duration;

use sidegate_filters::rate::Limit;
use sidegate_filters::rate_limit::{Per, RateLimit};

use crate::config::field::Field;
use crate::config::section::Section;

#[derive(Clone, Copy)]
enum Word {
    Address,
    User,
    Session,
    Segment,
}

const WORDS: &[(&str, Word)] =
    &[("address", Word::Address), ("user", Word::User), ("session", Word::Session), ("segment", Word::Segment)];

/// `per`, `segment`, `burst`, `every` and `internal-callers`.
pub(super) fn read(section: &Section<'_>) -> Option<RateLimit> {
    let per = section.field("per").demanded("write address, user, session or segment").choice(WORDS);
    let segment = section.field("segment");
    match per {
        Some(Word::Segment) => segment.demand("write the name of a segment of the row's path: id of /shop/{id}"),
        Some(_) if segment.is_written() => segment.fault("per is not segment", "write per: segment, or leave it out"),
        _ => {}
    }
    let segment: Option<String> = segment.optional();
    let burst = burst(&section.field("burst"));
    let every = section.field("every").required::<Duration>();
    let internal = section.field("internal-callers").choice(&[("counted", false), ("exempt", true)]);
    let per = match per? {
        Word::Address => Per::Address,
        Word::User => Per::User,
        Word::Session => Per::Session,
        Word::Segment => Per::Segment(segment?),
    };
    let limit = Limit { burst: burst?, every: every? };
    Some(RateLimit { per, limit, exempts_internal: internal.unwrap_or(false) })
}

fn burst(field: &Field<'_>) -> Option<NonZeroU32> {
    let burst = field.required::<usize>()?;
    let burst = u32::try_from(burst).ok().and_then(NonZeroU32::new);
    if burst.is_none() {
        field.fault("this is no limit", "write a smaller number");
    }
    burst
}
