use proptest::prelude::*;
use rstest::rstest;

use super::*;

fn text(raw: &str) -> String {
    CanonicalPath::parse(raw).unwrap().as_str().to_owned()
}

#[rstest]
#[case::root("/", "/")]
#[case::plain("/a/b-c_d.e~f", "/a/b-c_d.e~f")]
#[case::trailing_slash("/a/", "/a/")]
#[case::needless_escapes("/%61%2D%7e", "/a-~")]
#[case::upper_case_hex("/%c3%a9%20", "/%C3%A9%20")]
#[case::reserved_stay_escaped("/%21%3d%3A", "/%21%3D%3A")]
#[case::sub_delimiters("/!$&'()*+,=:@", "/!$&'()*+,=:@")]
#[case::dots_in_names("/.well-known/..a/a../...", "/.well-known/..a/a../...")]
#[case::lone_percent("/100%25", "/100%25")]
fn one_spelling(#[case] raw: &str, #[case] canonical: &str) {
    assert_eq!(text(raw), canonical);
    assert_eq!(CanonicalPath::parse(raw).unwrap().unusual(), PathRules::default());
}

#[rstest]
#[case("/..")]
#[case("/.")]
#[case("/a/../b")]
#[case("/a/./b")]
#[case("/a/..")]
#[case("/%2e%2E/b")]
#[case("/.%2e/b")]
#[case("/%2e")]
#[case::before_a_parameter("/a/..;x=1/b")]
#[case::before_an_escaped_parameter("/a/..%3bx/b")]
#[case::before_an_escaped_slash("/a/..%2fb")]
#[case::after_an_escaped_slash("/a%2f../b")]
#[case::between_escaped_backslashes("/a%5C..%5Cb")]
#[case::escaped_twice("/%252e%252e/b")]
#[case::half_escaped_twice("/.%252e/b")]
#[case::slash_escaped_twice("/a/..%252fb")]
#[case::escaped_twice_in_pieces("/a/%25%32%65%25%32%65/b")]
fn dot_segments_are_never_allowed(#[case] raw: &str) {
    assert_eq!(CanonicalPath::parse(raw), Err(PathError::DotSegment));
}

#[rstest]
#[case::backslash("/a\\b")]
#[case::fragment("/a#b")]
#[case::query("/a?b")]
#[case::space("/a b")]
#[case::tab("/a\tb")]
#[case::nul("/a\0b")]
#[case::delete("/a\x7fb")]
#[case::raw_utf8("/é")]
#[case::quote("/\"")]
#[case::less("/<")]
#[case::brackets("/[")]
#[case::braces("/{id}")]
#[case::bar("/|")]
#[case::caret("/^")]
#[case::backtick("/`")]
#[case::escaped_nul("/%00")]
#[case::escaped_line_end("/a%0D%0Ab")]
#[case::escaped_delete("/%7F")]
#[case::escaped_c1_control("/%C2%85")]
fn characters_that_have_no_place_in_a_path(#[case] raw: &str) {
    assert_eq!(CanonicalPath::parse(raw), Err(PathError::Character));
}

#[rstest]
#[case("/%")]
#[case("/%4")]
#[case("/%zz")]
#[case("/%4g")]
#[case("/%%34%31")]
#[case("/%u0041")]
#[case("/%+1")]
fn invalid_escapes(#[case] raw: &str) {
    assert_eq!(CanonicalPath::parse(raw), Err(PathError::Escape));
}

#[rstest]
#[case::lone_byte("/%ff")]
#[case::overlong_slash("/%c0%af")]
#[case::surrogate("/%ed%a0%80")]
#[case::cut_short("/%e2%82")]
fn what_does_not_decode_to_utf8(#[case] raw: &str) {
    assert_eq!(CanonicalPath::parse(raw), Err(PathError::NotUtf8));
}

#[rstest]
#[case("")]
#[case("*")]
#[case("a/b")]
#[case("http://host/a")]
#[case("%2Fa")]
fn a_path_is_absolute(#[case] raw: &str) {
    assert_eq!(CanonicalPath::parse(raw), Err(PathError::NotAbsolute));
}

const USUAL: PathRules =
    PathRules { empty_segments: false, encoded_slashes: false, double_encoding: false, parameters: false };
const EMPTY: PathRules = PathRules { empty_segments: true, ..USUAL };
const SLASHES: PathRules = PathRules { encoded_slashes: true, ..USUAL };
const DOUBLE: PathRules = PathRules { double_encoding: true, ..USUAL };
const PARAMETERS: PathRules = PathRules { parameters: true, ..USUAL };

#[rstest]
#[case::empty_segment("/a//b", "/a//b", EMPTY)]
#[case::only_slashes("//", "//", EMPTY)]
#[case::slash("/a%2fb", "/a%2Fb", SLASHES)]
#[case::backslash("/a%5cb", "/a%5Cb", SLASHES)]
#[case::twice("/%2541", "/%2541", DOUBLE)]
#[case::twice_in_pieces("/%25%34%31", "/%2541", DOUBLE)]
#[case::three_times("/%25252f", "/%25252f", DOUBLE)]
#[case::parameter("/a;b=c", "/a;b=c", PARAMETERS)]
#[case::escaped_parameter("/a%3bb=c", "/a%3Bb=c", PARAMETERS)]
fn unusual_spellings_stay_as_they_are_and_are_noted(
    #[case] raw: &str,
    #[case] canonical: &str,
    #[case] found: PathRules,
) {
    assert_eq!(text(raw), canonical);
    assert_eq!(CanonicalPath::parse(raw).unwrap().unusual(), found);
    for rules in [USUAL, EMPTY, SLASHES, DOUBLE, PARAMETERS] {
        assert_eq!(rules.allow(found), rules == found, "{rules:?}");
    }
}

fn template(text: &str) -> PathTemplate {
    PathTemplate::parse(text).unwrap()
}

fn matched(pattern: &str, raw: &str) -> bool {
    template(pattern).matches(&CanonicalPath::parse(raw).unwrap()).is_some()
}

#[rstest]
#[case::root("/", &["/"], &["/a", "//"])]
#[case::literal("/a/b", &["/a/b"], &["/a", "/a/b/", "/a/b/c", "/a/B", "/a/b//", "//a/b", "/a//b", "/a%2Fb"])]
#[case::slash_at_the_end("/a/", &["/a/"], &["/", "/a", "/a//"])]
#[case::open("/a/*", &["/a", "/a/", "/a/b", "/a/b/", "/a//b"], &["/", "/ab", "/a;x/b", "/b/a"])]
#[case::all("/*", &["/", "/a", "//"], &[])]
#[case::named("/t/{id}", &["/t/1"], &["/t", "/t/", "/t/1/", "/t//", "/t/1/2", "/t/a%2Fb", "/t/a%5Cb", "/t/a;b", "/t/100%25", "/t/%2541"])]
#[case::named_inside("/t/{id}/e", &["/t/1/e"], &["/t/1", "/t//e", "/t/1%2F2/e"])]
fn matching(#[case] pattern: &str, #[case] good: &[&str], #[case] bad: &[&str]) {
    for raw in good {
        assert!(matched(pattern, raw), "{pattern} {raw}");
    }
    for raw in bad {
        assert!(!matched(pattern, raw), "{pattern} {raw}");
    }
}

#[rstest]
#[case("/*", "/", true)]
#[case("/*", "/a/{b}/*", true)]
#[case("/a/*", "/a", true)]
#[case("/a/*", "/a/", true)]
#[case("/a/*", "/ab", false)]
#[case("/a", "/a/*", false)]
#[case("/a/{b}", "/a/{c}", true)]
#[case("/a/{b}", "/a/c", true)]
#[case("/a/{b}", "/a/", false)]
#[case("/a/{b}", "/a/c/d", false)]
#[case("/a/{b}", "/a/c;d", false)]
#[case("/a/{b}", "/a/c%3Bd", false)]
#[case("/a/b", "/a/{b}", false)]
#[case("/{a}/*", "/a/b", true)]
fn a_template_covers_what_it_matches_every_path_of(#[case] broad: &str, #[case] narrow: &str, #[case] covers: bool) {
    assert_eq!(template(broad).covers(&template(narrow)), covers);
}

#[rstest]
#[case("/Shop/*", "/shop/A", true)]
#[case("/Shop/*", "/SHOP", true)]
#[case("/shop/%C3%A4/{id}", "/SHOP/%c3%a4/A", true)]
#[case("/shop", "/shops", false)]
#[case("/shop%20a", "/shop%20A", true)]
fn letters_are_the_same_in_any_case_where_the_template_says_so(
    #[case] pattern: &str,
    #[case] raw: &str,
    #[case] found: bool,
) {
    let path = CanonicalPath::parse(raw).unwrap();
    assert_eq!(template(pattern).in_any_case().matches(&path).is_some(), found);
    assert_eq!(template(pattern).may_match(&path, Looseness { any_case: true, any_segment: false }), found);
    assert!(template(pattern).matches(&path).is_none());
    assert_eq!(CanonicalPath::parse(path.in_small_letters().as_str()), Ok(path.in_small_letters()));
}

/// A row takes ASCII letters alone for the same, but servers behind are of all kinds: what one of them may take for an earlier
/// row's path leads past that row nowhere.
#[rstest]
#[case::umlaut("/win/%C3%BCber", "/win/%C3%9CBER", true)]
#[case::kelvin_sign("/win/konto", "/win/%E2%84%AAonto", true)]
#[case::long_s("/shop", "/%C5%BFhop", true)]
#[case::dotted_i("/pin", "/p%C4%B0n", true)]
#[case::dotless_i("/pin", "/p%C4%B1n", true)]
#[case::greek("/%CF%83", "/%CF%82", true)]
#[case::slash("/a%2Fb", "/A%2fB", true)]
#[case::other("/%C3%A4", "/a", false)]
fn letters_beyond_ascii_are_alike_to_some(#[case] pattern: &str, #[case] raw: &str, #[case] alike: bool) {
    let path = CanonicalPath::parse(raw).unwrap();
    let reader = Looseness { any_case: true, any_segment: false };
    assert_eq!(template(pattern).may_match(&path.in_small_letters(), reader), alike);
    assert_eq!(template(pattern).may_match(&path, reader), alike);
    assert_eq!(CanonicalPath::parse(path.in_small_letters().as_str()), Ok(path.in_small_letters()));
}

#[rstest]
#[case::letters("/shop/*", "/SHOP/cart", true, true)]
#[case::escapes("/%C3%A4", "/%C3%A4", true, true)]
#[case::others("/shop", "/cart", false, false)]
#[case::wider("/shop/cart", "/SHOP/*", false, true)]
fn a_template_in_any_case_covers_those_in_other_letters(
    #[case] one: &str,
    #[case] other: &str,
    #[case] covers: bool,
    #[case] overlaps: bool,
) {
    let blind = |text: &str| template(text).in_any_case();
    for other in [template(other), blind(other)] {
        assert_eq!((blind(one).covers(&other), blind(one).overlaps(&other)), (covers, overlaps), "{other:?}");
        assert_eq!(other.overlaps(&blind(one)), overlaps);
    }
    assert!(!template(one).covers(&template(other)) || one == other);
}

/// One that minds the case has the paths of one that does not only where there is none to mind.
#[rstest]
#[case("/shop", false)]
#[case("/%C3%A4", true)]
#[case("/%C3%A4b", false)]
#[case("/1-2/*", true)]
#[case("/{id}", true)]
fn a_template_that_minds_the_case_covers_few_that_do_not(#[case] pattern: &str, #[case] covers: bool) {
    assert_eq!(template(pattern).covers(&template(pattern).in_any_case()), covers);
    assert!(template(pattern).in_any_case().covers(&template(pattern)));
}

#[test]
fn parameters_are_named_and_canonical() {
    let path = CanonicalPath::parse("/u/%6aeff/t/%c3%a9").unwrap();
    let params = template("/u/{user}/t/{id}").matches(&path).unwrap();
    assert_eq!((params.get("user"), params.get("id"), params.get("x")), (Some("jeff"), Some("%C3%A9"), None));
}

#[rstest]
#[case("a", TemplateError::NotAbsolute)]
#[case("/{}", TemplateError::Segment("{}".to_owned()))]
#[case("/x{id}", TemplateError::Segment("x{id}".to_owned()))]
#[case("/{a b}", TemplateError::Segment("{a b}".to_owned()))]
#[case("/a*", TemplateError::Wildcard)]
#[case("/*/a", TemplateError::Wildcard)]
#[case("/{id}/{id}", TemplateError::Twice("{id}".to_owned()))]
#[case("//a", TemplateError::Spelling(String::new()))]
#[case("/a//*", TemplateError::Spelling(String::new()))]
#[case("/a//", TemplateError::Spelling(String::new()))]
#[case("//", TemplateError::Spelling(String::new()))]
#[case("/..", TemplateError::Spelling("..".to_owned()))]
#[case("/a b", TemplateError::Spelling("a b".to_owned()))]
#[case("/%61", TemplateError::Spelling("%61".to_owned()))]
#[case("/%c3%a9", TemplateError::Spelling("%c3%a9".to_owned()))]
fn templates_that_are_refused(#[case] text: &str, #[case] error: TemplateError) {
    assert_eq!(PathTemplate::parse(text), Err(error));
}

/// Raw paths thick with what matters: dots, slashes, escapes, parameters.
fn raw_path() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "/", "//", ".", "..", "%2e", "%2E", "%2f", "%5c", "%25", "%32", "%65", ";", "%3b", "a", "A", "2", "e", "f",
        "%", "%c3%a9", "%c3", "%00", "~", "%7e", "*", "{", "\\", "#",
    ]);
    prop::collection::vec(piece, 0..12).prop_map(|pieces| format!("/{}", pieces.concat()))
}

/// The path decoded so many times; what is no escape stays.
fn decoded(path: &str, times: usize) -> Vec<u8> {
    let mut bytes = path.as_bytes().to_vec();
    for _ in 0..times {
        let (mut next, mut at) = (Vec::new(), 0);
        while at < bytes.len() {
            let digits = bytes.get(at + 1..at + 3).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
            let escaped = digits.filter(|_| bytes[at] == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
            next.push(escaped.map_or(bytes[at], |digits| u8::from_str_radix(digits, 16).unwrap()));
            at += if escaped.is_some() { 3 } else { 1 };
        }
        bytes = next;
    }
    bytes
}

/// The segments as a lenient reader may see them: decoded, every slash a separator, parameters cut off.
fn segments(path: &str, times: usize) -> Vec<String> {
    let text = String::from_utf8_lossy(&decoded(path, times)).into_owned();
    text.split(['/', '\\']).map(|segment| segment.split(';').next().unwrap().to_owned()).collect()
}

proptest! {
    #[test]
    fn the_canonical_form_is_a_fixed_point(raw in raw_path()) {
        if let Ok(path) = CanonicalPath::parse(&raw) {
            prop_assert_eq!(CanonicalPath::parse(path.as_str()), Ok(path));
        }
    }

    #[test]
    fn no_reader_finds_a_dot_segment(raw in raw_path()) {
        if let Ok(path) = CanonicalPath::parse(&raw) {
            for times in 0..=2 {
                let found = segments(path.as_str(), times);
                prop_assert!(!found.iter().any(|segment| segment == "." || segment == ".."), "{} {:?}", raw, found);
            }
        }
    }

    #[test]
    fn the_meaning_is_kept(raw in raw_path()) {
        if let Ok(path) = CanonicalPath::parse(&raw) {
            prop_assert_eq!(decoded(path.as_str(), 1), decoded(&raw, 1));
        }
    }

    #[test]
    fn what_is_not_noted_is_not_there(raw in raw_path()) {
        if let Ok(path) = CanonicalPath::parse(&raw) {
            let (text, unusual) = (path.as_str(), path.unusual());
            prop_assert_eq!(unusual.empty_segments, text.contains("//"));
            let lower = text.to_lowercase();
            prop_assert_eq!(unusual.parameters, lower.contains(';') || lower.contains("%3b"));
            prop_assert_eq!(unusual.encoded_slashes, lower.contains("%2f") || lower.contains("%5c"));
            prop_assert_eq!(unusual.double_encoding, decoded(text, 1) != decoded(text, 2));
        }
    }

    #[test]
    fn a_parameter_holds_no_separator_in_any_reading(raw in raw_path(), slots in 1..4_usize) {
        let names: String = (0..slots).map(|slot| format!("/{{p{slot}}}")).collect();
        let Ok(path) = CanonicalPath::parse(&raw) else { return Ok(()) };
        let Some(params) = template(&names).matches(&path) else { return Ok(()) };
        for slot in 0..slots {
            let value = params.get(&format!("p{slot}")).unwrap();
            prop_assert!(!value.is_empty());
            for times in 0..=2 {
                prop_assert_eq!(segments(value, times).len(), 1);
            }
            prop_assert!(!decoded(value, 2).contains(&b';'));
        }
    }

    #[test]
    fn parsing_never_panics(raw: String, tail: String) {
        let _ = CanonicalPath::parse(&raw);
        let _ = CanonicalPath::parse(&format!("/{tail}"));
        let _ = PathTemplate::parse(&format!("/{tail}"));
    }
}
