//! The order of rows: the first that fits is taken, so a row stands before those whose paths hold its own.

use http::Method;
use sidegate_filters::PathTemplate;

use super::demand;
use crate::config::routes::{Known, Row};
use crate::config::section::Section;
use crate::routes::ListenerClass;

/// A row that those before it leave nothing is a fault, also for some of its methods; what the paths of those before it
/// leave to it is noted, and so is which of two has what both could. Lines of default rows are 0.
pub(in crate::config::routes) fn check(section: &Section<'_>, row: &Row, table: &[(Row, u64)], known: &Known<'_>) {
    for (other, line) in table {
        note_other_letters(section, row, (other, *line));
        if other.pattern.template().covers(row.pattern.template()) {
            refuse_unreached(section, row, other, *line);
        } else if row.pattern.template().covers(other.pattern.template()) && demand::is_looser(row, other, known) {
            let before: Vec<&Row> = table.iter().map(|(row, _)| row).collect();
            note_left_over(section, row, other, &before);
            note_below(section, row, other, &before);
            let lost = demand::lost(other, row, known);
            if !lost.is_empty() {
                note_overlap(section, row, other, &lost);
            }
        } else if row.pattern.template().overlaps(other.pattern.template()) && !demand::is_as_strict(other, row, known)
        {
            note_overlap(section, row, other, &demand::lost(other, row, known));
        }
    }
}

/// Paths that both rows have, while their filters differ: in more than that the first demands more, since such a row is to
/// come first. `lost` are those of this row that do not hold there.
fn note_overlap(section: &Section<'_>, row: &Row, other: &Row, lost: &[&str]) {
    let shared: Vec<&Method> = row.methods.iter().filter(|method| other.methods.contains(method)).collect();
    let on: Vec<_> = row.on.iter().filter(|class| other.on.contains(class)).map(|class| class.name()).collect();
    if shared.is_empty() || on.is_empty() {
        return;
    }
    let without = if lost.is_empty() { String::new() } else { format!(" and is without {}", lost.join(", ")) };
    let right = if row.pattern.template().covers(other.pattern.template()) {
        format!("no row takes over filters of another: what is to hold there too, list it for {} as well", other.name)
    } else {
        format!("where {} is to have them, put it before", row.name)
    };
    section.field("path").notice(format!(
        "paths of the row {}, {}, are paths of this one too, and the filters of the two differ: {} on {} \
         listeners goes to the row {}, which comes first{without}; {right}",
        other.name,
        other.pattern.text(),
        listed(&shared),
        on.join(", "),
        other.name,
    ));
}

/// Paths of a row that minds the case, spelt otherwise: to the server behind this one they are the same, so that they pass
/// neither. Of default rows nothing is said, which all mind it.
fn note_other_letters(section: &Section<'_>, row: &Row, (other, line): (&Row, u64)) {
    let (here, there) = (row.pattern.template(), other.pattern.template());
    let in_any_case = there.clone().in_any_case();
    if line == 0 || !here.ignores_case() || there.covers(&in_any_case) || !here.overlaps(&in_any_case) {
        return;
    }
    let shared: Vec<&Method> = row.methods.iter().filter(|method| other.methods.contains(method)).collect();
    if shared.is_empty() || !row.on.iter().any(|class| other.on.contains(class)) {
        return;
    }
    section.field("ignore-case").notice(format!(
        "the row {} comes first and minds the case: {} of {} in other letters is refused with 400, since the server \
         behind would take it for that row's; where it is to pass there, write ignore-case: true for {}",
        other.name,
        listed(&shared),
        other.pattern.text(),
        other.name,
    ));
}

/// Another row takes what this one is for.
fn refuse_unreached(section: &Section<'_>, row: &Row, other: &Row, line: u64) {
    let taken: Vec<&Method> = row.methods.iter().filter(|method| other.methods.contains(method)).collect();
    if taken.is_empty() || !row.on.iter().any(|class| other.on.contains(class)) {
        return;
    }
    let (field, same) = (section.field("path"), row.pattern.template().covers(other.pattern.template()));
    let first = match line {
        0 => format!("the default row {}", other.name),
        line => format!("the row {} in line {line}", other.name),
    };
    let wrong = if same {
        format!("{first} has this path and method{}", if line == 0 { "" } else { " too" })
    } else {
        let path = other.pattern.text();
        format!("{} never reaches the row {}: {first} comes first and has all of {path}", listed(&taken), row.name)
    };
    match line {
        0 => field.fault(wrong, "change that row by its name, or choose another path"),
        _ if same => field.fault(wrong, "keep one of them, or choose another path"),
        _ => field.fault(wrong, format!("put {} before {}: the first row that fits is taken", row.name, other.name)),
    }
}

/// Requests for the narrower path of another row which neither that row nor one of those before takes.
fn note_left_over(section: &Section<'_>, row: &Row, other: &Row, before: &[&Row]) {
    for (class, left) in left_over(row, other.pattern.template(), before) {
        section.field("methods").notice(format!(
            "for {}, the path of the row {}, {} on {} listeners falls to the row {} and its filters; \
             where {} is to have it, or nobody, put it among what {} takes",
            other.pattern.text(),
            other.name,
            listed(&left),
            class.name(),
            row.name,
            other.name,
            other.name,
        ));
    }
}

/// Requests for what is below the path of another row, which that row is not for: most servers take a path with a slash at
/// its end for the one without.
fn note_below(section: &Section<'_>, row: &Row, other: &Row, before: &[&Row]) {
    let path = other.pattern.text().trim_end_matches('/');
    let Some(below) = PathTemplate::parse(&format!("{path}/*")).ok().filter(|_| !path.is_empty()) else { return };
    let below = if other.pattern.template().ignores_case() { below.in_any_case() } else { below };
    if other.pattern.text().ends_with('*') || !row.pattern.template().covers(&below) {
        return;
    }
    for (class, mut left) in left_over(row, &below, before) {
        left.retain(|method| other.on.contains(&class) && other.methods.contains(method));
        if !left.is_empty() {
            section.field("path").notice(format!(
                "the row {} is for {} alone: {path}/ and what is below it, {} on {} listeners, fall to the \
                 row {} and its filters; where {} is to have them, write {path}/* there",
                other.name,
                other.pattern.text(),
                listed(&left),
                class.name(),
                row.name,
                other.name,
            ));
        }
    }
}

/// What of these paths this row gets, since none of those before takes it.
fn left_over<'r>(row: &'r Row, paths: &PathTemplate, before: &[&Row]) -> Vec<(ListenerClass, Vec<&'r Method>)> {
    let is_taken = |class: ListenerClass, method: &Method| {
        before.iter().any(|first| {
            first.on.contains(&class) && first.methods.contains(method) && first.pattern.template().covers(paths)
        })
    };
    let left = |class: &ListenerClass| row.methods.iter().filter(|method| !is_taken(*class, method)).collect();
    let classes = row.on.iter().map(|class| (*class, left(class)));
    classes.filter(|(_, left): &(_, Vec<_>)| !left.is_empty()).collect()
}

fn listed(methods: &[&Method]) -> String {
    methods.iter().map(|method| method.as_str()).collect::<Vec<_>>().join(", ")
}
