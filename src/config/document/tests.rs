use proptest::prelude::*;
use rstest::rstest;

use super::*;

fn map(text: &str) -> Vec<Entry> {
    let Value::Map(entries) = parse(text).unwrap().value else { panic!("no map") };
    entries
}

#[test]
fn values_and_keys_know_their_lines() {
    let entries = map("a: 1\n\nb:\n  - x\n  - c: true\n");
    assert_eq!(entries.iter().map(|entry| (entry.key.as_str(), entry.line)).collect::<Vec<_>>(), [("a", 1), ("b", 3)]);
    let Value::List(items) = &entries[1].node.value else { panic!("no list") };
    assert_eq!(items.iter().map(|item| item.line).collect::<Vec<_>>(), [4, 5]);
}

#[test]
fn a_key_named_on_stays_text() {
    assert_eq!(map("on: [public]\nyes: no\n")[0].key, "on");
    assert!(matches!(&map("yes: no\n")[0].node.value, Value::Text(text) if text == "no"));
}

#[test]
fn repeated_keys_are_kept_for_the_check() {
    assert_eq!(map("a: 1\na: 2\n").len(), 2);
}

#[test]
fn an_empty_file_is_an_empty_map() {
    assert!(map("").is_empty());
    assert!(matches!(parse("# only a comment\n").unwrap().value, Value::Null));
}

#[test]
fn broken_yaml_says_where() {
    assert_eq!(parse("a: 1\nb: [1, 2\nc: 3\n").unwrap_err().line, 3);
    assert!(parse("a: 1\n---\nb: 2\n").unwrap_err().reason.contains("second document"));
}

#[rstest]
#[case("public-url https://gate.example\nlisteners: []\n", 2, Some(1))]
#[case("public-url:https://gate.example\nlisteners: []\n", 2, Some(1))]
#[case("listeners:\n  - class public\n    address: 127.0.0.1:80\n", 3, Some(2))]
#[case("a: 1\n# b\npublic-url https://gate.example\nsecond line\nlisteners: []\n", 3, None)]
#[case("a: 1\nb: c: d\n", 2, None)]
fn a_colon_that_is_lost_is_looked_for_above(#[case] text: &str, #[case] line: u64, #[case] cause: Option<u64>) {
    let found = parse(text).unwrap_err();
    assert_eq!(found.line, line, "{found:?}");
    let told = cause.map(|line| format!("; it may be line {line} that lacks the colon"));
    assert_eq!(found.reason.contains("it may be"), told.is_some(), "{found:?}");
    assert!(found.reason.contains(&told.unwrap_or_default()), "{found:?}");
}

#[rstest]
#[case("a:\n  - b\n  -c\n  - d\n", "; a blank is missing behind the dash")]
#[case("a: [b, c\n# d\nother: 1\n", "; it may be line 1 that lacks a bracket at its end")]
#[case("a: { b: 1, c: 2\nother: 1\n", "; it may be line 1 that lacks a bracket at its end")]
fn what_else_is_lost_is_looked_for_too(#[case] text: &str, #[case] expected: &str) {
    let found = parse(text).unwrap_err();
    assert!(found.reason.ends_with(expected), "{found:?}");
}

proptest! {
    #[test]
    fn no_reason_ever_quotes_the_file(noise in "[\\[\\]{}:,&*!|>'\"%@`#?\\- \n\ta-c]{0,40}", cut in 0usize..60) {
        let text = format!("a: hunter2hunter2\n{noise}hunter2hunter2{noise}: hunter2hunter2\n");
        let end = text.char_indices().map(|(index, _)| index).nth(cut).unwrap_or(text.len());
        for text in [&text[..], &text[..end]] {
            if let Err(malformed) = parse(text) {
                prop_assert!(!malformed.reason.contains("hunter2"), "{}", malformed.reason);
            }
        }
    }
}
