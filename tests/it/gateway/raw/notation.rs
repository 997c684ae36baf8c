//! How the tables write bytes: printable ASCII as it is, `\r`, `\n`, `\t`, `\0`, `\\` and `\xNN` for the others, and
//! `{…}*N` for so many times the same.

/// The bytes of a text.
pub(super) fn bytes(text: &str) -> Vec<u8> {
    let (mut all, mut rest) = (Vec::new(), text);
    while let Some(first) = rest.chars().next() {
        rest = &rest[first.len_utf8()..];
        if first == '{' {
            let (part, tail) = rest.split_once("}*").unwrap_or_else(|| panic!("{{…}}*N: {text}"));
            let digits = tail.len() - tail.trim_start_matches(|digit: char| digit.is_ascii_digit()).len();
            all.extend(bytes(part).repeat(tail[..digits].parse().unwrap()));
            rest = &tail[digits..];
        } else if first == '\\' {
            let (byte, length) = escape(rest);
            all.push(byte);
            rest = &rest[length..];
        } else {
            assert!(first.is_ascii(), "{text}");
            all.push(first as u8);
        }
    }
    all
}

/// What stands behind a backslash, and how long it is.
fn escape(rest: &str) -> (u8, usize) {
    match rest.as_bytes()[0] {
        b'r' => (b'\r', 1),
        b'n' => (b'\n', 1),
        b't' => (b'\t', 1),
        b'0' => (0, 1),
        b'\\' => (b'\\', 1),
        b'x' => (u8::from_str_radix(&rest[1..3], 16).unwrap(), 3),
        _ => panic!("no escape: {rest}"),
    }
}

/// The text of some bytes.
pub(super) fn text(bytes: &[u8]) -> String {
    let one = |byte: &u8| match byte {
        b'\r' => "\\r".to_owned(),
        b'\n' => "\\n".to_owned(),
        b'\t' => "\\t".to_owned(),
        0 => "\\0".to_owned(),
        b'\\' => "\\\\".to_owned(),
        b' '..=b'~' => char::from(*byte).to_string(),
        _ => format!("\\x{byte:02x}"),
    };
    bytes.iter().map(one).collect()
}

#[test]
fn what_is_written_is_read() {
    let all: Vec<u8> = (0..=255).filter(|byte| !b"{}".contains(byte)).collect();
    assert_eq!(bytes(&text(&all)), all);
    assert_eq!(bytes("a{b\\n}*3{c}*0\\x7b"), b"ab\nb\nb\n{");
}
