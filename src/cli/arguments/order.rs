//! In which order flags and command stand.

use std::ffi::OsString;

use clap::CommandFactory as _;

use super::Arguments;

/// A command line with the flags that stand before the command, or before the one below it, moved behind it, where clap
/// looks for them: all orders mean the same.
pub(in crate::cli) fn command_first(line: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let definition = Arguments::command();
    let line = flags_behind(line.into_iter().collect(), 1, &definition);
    match line.get(1).and_then(|word| definition.find_subcommand(word)).filter(|command| command.has_subcommands()) {
        Some(command) => flags_behind(line, 2, command),
        None => line,
    }
}

/// The line with the flags from the word `first` on moved behind the command that follows them.
fn flags_behind(mut line: Vec<OsString>, first: usize, definition: &clap::Command) -> Vec<OsString> {
    let mut command = first;
    while let Some(word) = line.get(command).and_then(|word| word.to_str()).filter(|word| word.starts_with('-')) {
        command += match (word, takes_value(definition, word)) {
            ("-h" | "--help" | "-V" | "--version" | "--", _) => return line,
            (_, Some(true)) if !word.contains('=') => 2,
            (_, Some(_)) => 1,
            // A slip, with a value or without: at the command it is named, beside the flag that is meant.
            (_, None) => {
                let mut rest = line.iter().skip(command);
                let Some(words) = rest.position(|word| definition.find_subcommand(word).is_some()) else { return line };
                words
            }
        };
    }
    if command < line.len() {
        let flags: Vec<_> = line.drain(first..command).collect();
        let end = line.iter().position(|word| word == "--").unwrap_or(line.len());
        line.splice(end..end, flags);
    }
    line
}

/// Whether this flag takes a value, at whichever command it stands; `None` where it stands at none.
fn takes_value(definition: &clap::Command, flag: &str) -> Option<bool> {
    let name = flag.strip_prefix("--")?.split('=').next();
    let own = definition.get_arguments().find(|argument| argument.get_long() == name);
    own.map(|argument| argument.get_action().takes_values())
        .or_else(|| definition.get_subcommands().find_map(|command| takes_value(command, flag)))
}
