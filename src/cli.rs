//! The command line: serve, check, explain, user, keygen, device (`gateway.md` 6.1).

mod arguments;
mod check;
pub mod compose;
mod data;
mod device;
pub mod explain;
mod keygen;
mod program;
mod reload;
mod serve;
pub mod start;
mod terminal;
mod upgrade;
mod user;

use std::ffi::OsString;
use std::io::{self, IsTerminal as _, Write};

use clap::Parser;

use crate::config::{Environment, Faults};
use crate::gateway::RunError;
use crate::routes::ListenerClass;
use crate::telemetry::log;
use arguments::{Arguments, Command, ConfigFlag, ExplainFlags, KeygenFlags, ServeFlags, UserCommand, command_first};
use device::{Device, PhoneError};

/// It worked.
const GOOD: u8 = 0;
/// It came to nothing; standard error says why.
const FAILED: u8 = 1;
/// The configuration has faults, or the request would be refused.
const FAULTS: u8 = 2;
/// Wrong use (`EX_USAGE` of sysexits.h).
const USAGE: u8 = 64;
/// As shells tell of a program that SIGINT ended.
const INTERRUPTED: u8 = 130;

/// Runs one command line, program name first, and tells the exit code of `gateway.md` 6.1.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let line = command_first(arguments);
    if let Some(word) = line.first() {
        program::called(word);
    }
    let code = match Arguments::try_parse_from(line) {
        Ok(arguments) => dispatch(arguments),
        Err(error) => {
            let printed = error.print().is_ok();
            if !error.use_stderr() && printed { GOOD } else { USAGE }
        }
    };
    // Whoever reads it may be gone.
    let _closed = io::stdout().flush();
    code
}

fn dispatch(arguments: Arguments) -> u8 {
    let mut out = io::stdout();
    let result = match arguments.command.unwrap_or(Command::Serve(arguments.serve)) {
        Command::Serve(flags) => return serve(&flags),
        Command::Check(flag) => return check(&flag, &mut out),
        Command::Explain(flags) => return explain(&flags, &mut out),
        Command::User(command) => user(command, &mut out),
        Command::Keygen(flags) => keygen(&flags, &mut out),
        Command::Device(phone) => return device(&phone),
    };
    match result {
        Ok(()) => GOOD,
        Err(error) => fail(error.as_ref()),
    }
}

fn serve(flags: &ServeFlags) -> u8 {
    match serve::run(&flags.source(), &flags.overrides(), flags.upgrade) {
        Ok(()) => GOOD,
        Err(error) if error.downcast_ref() == Some(&RunError::Interrupted) => INTERRUPTED,
        Err(error) => {
            if io::stderr().is_terminal() {
                return fail(error.as_ref());
            }
            match error.downcast_ref::<Faults>() {
                Some(faults) => faults.iter().for_each(|fault| log::last_words(&fault.to_string())),
                None => log::last_words(&error.to_string()),
            }
            FAILED
        }
    }
}

type Failure = Box<dyn std::error::Error>;

fn check(flag: &ConfigFlag, out: &mut dyn Write) -> u8 {
    match check::run(&flag.source(), &Environment::of_process(), out) {
        Ok(true) => GOOD,
        Ok(false) => FAULTS,
        Err(error) => fail(error.as_ref()),
    }
}

fn explain(flags: &ExplainFlags, out: &mut dyn Write) -> u8 {
    let told = compose::offline(&flags.config.source()).and_then(|(config, router)| {
        let told = match (&flags.method, &flags.path) {
            (Some(method), Some(path)) => {
                let class = flags.on.unwrap_or(ListenerClass::Public);
                explain::explain(&config, &router, class, method, path).map(|found| found.to_string())
            }
            _ => explain::Table::of(&config, flags.on).map(|table| table.to_string()),
        };
        let (text, code) = told.map_or_else(|refused| (refused.to_string(), FAULTS), |text| (text, GOOD));
        Ok(writeln!(out, "{}", text.trim_end()).map(|()| code)?)
    });
    told.unwrap_or_else(|error| {
        let code = fail(error.as_ref());
        if error.is::<Faults>() || error.is::<compose::ComposeError>() { FAULTS } else { code }
    })
}

fn user(command: UserCommand, out: &mut dyn Write) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let path = command.data().path(&Environment::of_process())?;
    Ok(runtime.block_on(user::run(command, &path, &mut *terminal::input(), out))?)
}

fn keygen(flags: &KeygenFlags, out: &mut dyn Write) -> Result<(), Failure> {
    match &flags.what.self_signed {
        Some(folder) => keygen::certificates(folder, &flags.names, out)?,
        None => keygen::sec_tokens(&flags.data.load(&Environment::of_process())?, &flags.whose, out)?,
    }
    Ok(())
}

fn device(phone: &Device) -> u8 {
    match phone.run() {
        Ok(()) => GOOD,
        Err(error) => {
            let code = fail(&error);
            match error {
                PhoneError::Usage(_) => USAGE,
                error if error.is_interruption() => INTERRUPTED,
                _ => code,
            }
        }
    }
}

fn fail(error: &(dyn std::error::Error + 'static)) -> u8 {
    // Whoever has read enough, such as `head`, knows that there is more.
    if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
        return FAILED;
    }
    // Of several faults each line says whose it is. Nobody is left to tell if standard error is closed.
    let _closed = error.to_string().lines().try_for_each(|line| writeln!(io::stderr(), "sidegate: {line}"));
    FAILED
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_flag_of_the_phone_is_wrong_use_and_its_state_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let (fresh, damaged) = (folder.path().join("fresh"), folder.path().join("damaged"));
        std::fs::write(&damaged, "{").unwrap();
        for (gateway, state, code) in [("no url", &fresh, USAGE), ("http://127.0.0.1:1", &damaged, FAILED)] {
            let line = ["sidegate", "device", "register", "--gateway", gateway, "--state", state.to_str().unwrap()];
            assert_eq!(dispatch(Arguments::try_parse_from(line).unwrap()), code, "{gateway}");
        }
    }
}
