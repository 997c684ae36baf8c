//! The program as it was called, so that a command in a message can be pasted.

use std::ffi::OsStr;
use std::path::Path;
use std::sync::OnceLock;

/// What it is called by where nobody said.
const NAME: &str = "sidegate";

static CALLED: OnceLock<String> = OnceLock::new();

/// Remembers the word by which it was called, such as `target/release/sidegate`.
pub(super) fn called(word: &OsStr) {
    // Called twice in one process: the first stands.
    let _ = CALLED.set(quoted(&word.to_string_lossy()));
}

/// A command line of this program, such as `target/release/sidegate user list`.
pub(super) fn line(arguments: &str) -> String {
    let program = CALLED.get().map_or(NAME, String::as_str);
    format!("{program} {arguments}").trim_end().to_owned()
}

/// A command line of this program as messages show it.
pub(super) fn command(arguments: &str) -> String {
    format!("`{}`", line(arguments))
}

/// A command for the users of a data folder as messages show it.
pub(super) fn user_command(arguments: &str, data: &Path) -> String {
    command(&format!("user {arguments} --data {}", quoted(&data.display().to_string())))
}

/// A word as a shell takes it.
pub(super) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:=@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_can_be_pasted() {
        for (word, pasted) in [
            ("target/release/sidegate", "target/release/sidegate"),
            ("/my files/sidegate", "'/my files/sidegate'"),
            ("it's", r"'it'\''s'"),
            ("", "''"),
        ] {
            assert_eq!(quoted(word), pasted);
        }
        assert_eq!(command("user list"), "`sidegate user list`");
        assert_eq!(command(""), "`sidegate`");
        assert_eq!(user_command("list", Path::new("my var")), "`sidegate user list --data 'my var'`");
    }
}
