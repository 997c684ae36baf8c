use std::ffi::OsString;

use clap::CommandFactory as _;

use super::*;

#[test]
fn the_definition_is_sound() {
    Arguments::command().debug_assert();
}

/// The parsed command line, or that it is wrong use.
fn parsed(line: &str) -> Option<String> {
    let words = command_first(line.split(' ').map(OsString::from));
    Arguments::try_parse_from(words).ok().map(|arguments| format!("{arguments:?}"))
}

#[test]
fn flags_stand_before_the_command_or_behind_it() {
    for (before, behind) in [
        ("sidegate --config F check", "sidegate check --config F"),
        ("sidegate --config=F check", "sidegate check --config F"),
        ("sidegate --config check check", "sidegate check --config check"),
        ("sidegate --config F explain GET /x --on internal", "sidegate explain GET /x --on internal --config F"),
        ("sidegate --config F explain -- GET /x", "sidegate explain --config F GET /x"),
        ("sidegate --config F --data D serve", "sidegate serve --data D --config F"),
        ("sidegate --data D user list", "sidegate user list --data D"),
        ("sidegate --config F user list", "sidegate user list --config F"),
        ("sidegate --password-stdin user add jeff", "sidegate user add jeff --password-stdin"),
        ("sidegate --data D keygen --sectoken", "sidegate keygen --sectoken --data D"),
        ("sidegate --upstream shop keygen --sectoken", "sidegate keygen --sectoken --upstream shop"),
        ("sidegate --state S device delete", "sidegate device delete --state S"),
        ("sidegate device --state S delete", "sidegate device delete --state S"),
        ("sidegate --gateway G device --user jeff demo", "sidegate device demo --gateway G --user jeff"),
        ("sidegate user --data D list", "sidegate user list --data D"),
    ] {
        assert!(parsed(behind).is_some(), "{behind}");
        assert_eq!(parsed(before), parsed(behind), "{before}");
    }
    for (slip, at_the_command) in [("--confg F serve", "serve --confg F"), ("--confg F", "--confg F")] {
        let words = |line: &str| format!("sidegate {line}").split(' ').map(OsString::from).collect::<Vec<_>>();
        assert_eq!(command_first(words(slip)), words(at_the_command));
    }
    for alone in ["sidegate --config F", "sidegate --config check", "sidegate"] {
        assert!(parsed(alone).is_some_and(|parsed| parsed.contains("command: None")), "{alone}");
    }
}

#[test]
fn a_phone_has_the_flags_that_it_uses_and_a_short_help() {
    for (command, flags) in [
        ("demo", "--user --password-stdin --config --data --key --display"),
        ("register", "--user --password-stdin --config --data --key --display --misbehave --state"),
        ("register-target", "--state"),
        ("update-target", "--name --state"),
        ("approve", "--key --display --misbehave --picture --state"),
        ("deny", "--state"),
        ("delete", "--state"),
        ("misbehaviours", ""),
    ] {
        let line = ["sidegate", "device", command, "--help"];
        let help = Arguments::try_parse_from(line).unwrap_err().to_string();
        let own = help.lines().filter_map(|line| line.trim_start().strip_prefix("--")?.split(' ').next());
        let mut own: Vec<_> = own.map(|name| format!("--{name}")).collect();
        own.sort_unstable();
        let at = if command == "misbehaviours" { "" } else { "--gateway --ca" };
        let mut expected: Vec<_> = [flags, at].iter().flat_map(|flags| flags.split_whitespace()).collect();
        expected.sort_unstable();
        assert_eq!(own, expected, "{help}");
        assert!(!help.contains("\n\n      --"), "the short form: {help}");
    }
}

/// Each flag of a command and of those below it, and whether it takes a value.
fn flags(definition: &clap::Command) -> Vec<(String, bool)> {
    let own = definition
        .get_arguments()
        .filter_map(|argument| Some((format!("--{}", argument.get_long()?), argument.get_action().takes_values())));
    own.chain(definition.get_subcommands().flat_map(flags)).collect()
}

#[test]
fn every_flag_takes_its_value_along_and_nothing_else() {
    let flags = flags(&Arguments::command());
    assert!(flags.contains(&("--sectoken".into(), false)) && flags.contains(&("--state".into(), true)));
    for (flag, takes_value) in flags {
        let before = if takes_value { vec![flag.as_str(), "check"] } else { vec![flag.as_str()] };
        let line = [&["sidegate"], &before[..], &["user", "list"]].concat();
        let moved = [&["sidegate", "user", "list"], &before[..]].concat();
        assert_eq!(command_first(line.into_iter().map(OsString::from)), moved, "{flag}");
    }
}

#[test]
fn wrong_uses_are_refused() {
    for line in [
        "sidegate serv",
        "sidegate user",
        "sidegate user add",
        "sidegate keygen",
        "sidegate keygen --sectoken --name a.example",
        "sidegate keygen --sectoken --all --upstream shop",
        "sidegate keygen --self-signed certs --all",
        "sidegate keygen --self-signed certs --upstream shop",
        "sidegate keygen --upstream shop",
        "sidegate keygen --self-signed certs --name https://a.example",
        "sidegate --listen 127.0.0.1:1 check",
        "sidegate --config F check --config F",
        "sidegate --config",
        "sidegate explain GET",
        "sidegate device delete --key p256",
        "sidegate device --state S demo",
        "sidegate --user jeff device approve X",
    ] {
        assert_eq!(parsed(line), None, "{line}");
    }
}
