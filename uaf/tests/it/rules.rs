//! The table of rules in `rules.md`: each has what shows it, and each misbehaviour has a rule.

use std::collections::BTreeSet;
use std::path::Path;

use sidegate_uaf::authenticator::Misbehaviour;
use sidegate_uaf::wire::Operation;

const TABLE: &str = include_str!("../rules.md");
/// The items of the list, and the steps of both ceremonies.
const ALL_OF: [&str; 26] = [
    "1", "2", "3", "4", "5", "6", "7", "8", "9", "A7", "A7.1", "A7.2", "A7.3", "A7.4", "A7.5", "A7.6", "A7.7", "A7.8",
    "A7.9", "A8", "A8.a", "A8.b", "A8.c", "A8.d", "A8.e", "A8.f",
];

/// What stands above a test.
const MARKS: [&str; 5] = ["#[test]", "#[rstest]", "#[rstest::rstest]", "#[tokio::test]", "#[tokio::test("];

/// A row: what the rule is of, the rule, and what shows it.
struct Row<'a> {
    of: &'a str,
    rule: &'a str,
    shown_by: Vec<&'a str>,
}

fn rows(table: &str) -> Vec<Row<'_>> {
    let lines = table.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix('|'));
    let rows = lines.skip(2).map(|line| {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let [of, rule, shown_by] = cells[..] else { panic!("three cells: {line}") };
        Row { of, rule, shown_by: shown_by.split('`').map(str::trim).filter(|name| !name.is_empty()).collect() }
    });
    rows.collect()
}

fn misbehaviours() -> BTreeSet<String> {
    let both = [Operation::Reg, Operation::Auth].into_iter().flat_map(Misbehaviour::all);
    both.chain(Misbehaviour::stated()).map(|how| how.to_string()).collect()
}

/// Whether an entry names this misbehaviour, alone or with others.
fn names(entry: &str, misbehaviour: &str) -> bool {
    entry.strip_suffix('*').map_or(entry == misbehaviour, |beginning| misbehaviour.starts_with(beginning))
}

/// The code of this crate and of its tests, and of the gateway's, for what only a store can tell.
fn code() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    ["src", "tests/it", "../tests/it"].into_iter().map(|folder| code_in(&root.join(folder))).collect()
}

fn code_in(folder: &Path) -> String {
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let texts = paths.map(|path| match path.extension() {
        None => code_in(&path),
        Some(extension) if extension == "rs" => std::fs::read_to_string(&path).unwrap(),
        Some(_) => String::new(),
    });
    texts.collect()
}

/// The functions that a test runner calls.
fn tests(code: &str) -> BTreeSet<&str> {
    let mut is_marked = false;
    let named = code.lines().map(str::trim_start).filter_map(|line| {
        is_marked |= MARKS.iter().any(|mark| line.starts_with(mark));
        let declared = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ")?;
        std::mem::take(&mut is_marked).then(|| declared.split('(').next()).flatten()
    });
    named.collect()
}

/// What is wrong with a table.
fn faults(table: &str) -> Vec<String> {
    let (rows, known, code) = (rows(table), misbehaviours(), code());
    let tests = tests(&code);
    let exists = |entry: &str| known.iter().any(|how| names(entry, how)) || tests.contains(entry);
    let entries = || rows.iter().flat_map(|row| row.shown_by.iter().copied());
    let unshown =
        rows.iter().filter(|row| row.shown_by.is_empty()).map(|row| format!("{}: nothing shows it", row.rule));
    let unknown =
        entries().filter(|entry| !exists(entry)).map(|entry| format!("{entry} is neither a test nor a misbehaviour"));
    let idle = known.iter().filter(|how| !entries().any(|entry| names(entry, how)));
    let idle = idle.map(|how| format!("{how} stands for no rule"));
    let of: BTreeSet<_> = rows.iter().map(|row| row.of).collect();
    let without = ALL_OF.iter().filter(|of_all| !of.contains(*of_all)).map(|of| format!("no rule of {of}"));
    unshown.chain(unknown).chain(idle).chain(without).collect()
}

#[test]
fn every_rule_is_shown_and_every_misbehaviour_shows_one() {
    assert_eq!(faults(TABLE), <[String; 0]>::default());
    assert!(rows(TABLE).len() > 90, "the table was not found");
}

#[test]
fn a_table_with_a_gap_is_found() {
    assert_eq!(faults(&TABLE.replace("`the_counter_grows`", "")), ["wrap at 2^32-1: nothing shows it"]);
    assert_eq!(
        faults(&TABLE.replace("`length-zero`", "`length-zeros`")),
        ["length-zeros is neither a test nor a misbehaviour", "length-zero stands for no rule"]
    );
    let shown_by_no_test = faults(&TABLE.replace("`the_counter_grows`", "`code_in`"));
    assert_eq!(shown_by_no_test, ["code_in is neither a test nor a misbehaviour"]);
    assert_eq!(faults(&TABLE.replace("| A8.f |", "| A8 |")), ["no rule of A8.f"]);
}
