//! `sidegate user`: the users' file. A running gateway sees each change at the next question it asks.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::arguments::{Login, UserCommand};
use super::data;
use super::program::{quoted, user_command};
use crate::jose::CryptoError;
use crate::store::users::file::is_name;
use crate::store::users::{PasswordHash, User, UserError, UsersFile, UsersFileError, are_roles};
use crate::store::{DataFolder, Embedded, FolderError, StoreError, Users};

/// The shortest password taken, in characters (NIST SP 800-63B, 5.1.1.1).
const SHORTEST: usize = 8;

/// The command came to nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failed {
    #[error(transparent)]
    Password(#[from] data::NoPassword),
    #[error(
        "the password has fewer than {SHORTEST} characters: give a longer one, or leave --password-stdin to have one made"
    )]
    Short,
    #[error("there is no user {name:?}: {} lists those who are there", user_command("list", .folder))]
    Unknown { name: String, folder: PathBuf },
    #[error(
        "there is a user {name:?} already: {} gives another password",
        user_command(&format!("passwd {}", quoted(.name)), .folder)
    )]
    Exists { name: String, folder: PathBuf },
    #[error("there is no users file {}: name the gateway's data folder with --data, or its --config", .0.display())]
    NoUsers(PathBuf),
    #[error("{}: {}", .0.display(), .1)]
    Unseen(PathBuf, io::Error),
    #[error("the password can't be hashed")]
    Hash,
    #[error("{}{}", .0, remedy(.0))]
    User(#[from] UserError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    File(#[from] UsersFileError),
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error(transparent)]
    Crypto(#[from] CryptoError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// How the flags are written right, where a wrong one is easily taken for right.
fn remedy(error: &UserError) -> &'static str {
    if matches!(error, UserError::BadRoles) { "; write --role once for each" } else { "" }
}

/// Runs one command on the data folder at `path`; only adding a user makes one.
pub(super) async fn run(
    command: UserCommand,
    path: &Path,
    input: &mut dyn Read,
    out: &mut dyn Write,
) -> Result<(), Failed> {
    let file = path.join(data::USERS);
    DataFolder::check(path)?;
    let adds = matches!(command, UserCommand::Add { .. });
    let anew = matches!(command, UserCommand::Add { new_users_file: true, .. });
    let is_there = file.try_exists().map_err(|error| Failed::Unseen(file.clone(), error))?;
    let used = Embedded::was_made(&path.join(data::STORE))?;
    // Where a gateway has run, the file is lost: what can be done about it is told when it is opened.
    if !adds && !is_there && !used {
        return Err(Failed::NoUsers(file));
    }
    // What is refused must not leave a folder behind.
    let password = Password::wanted(&command, input)?;
    let missing = !path.exists();
    let folder = DataFolder::open(path)?;
    if missing {
        writeln!(out, "{}: {}", path.display(), data::MADE)?;
    }
    if folder.closed() {
        writeln!(out, "{}: {}", path.display(), data::CLOSED)?;
    }
    let users = if used && !anew { UsersFile::open_used(&file)? } else { UsersFile::open(&file)? };
    match change(&users, path, &command, password.as_ref()).await? {
        Some((done, user)) => tell(done, &user, &file, password.as_ref(), out),
        None => list(&users, out).await,
    }
}

/// Does what the command says to the users in the data folder at `path`: what was done, and to whom. `None`: it changes
/// nobody.
async fn change(
    users: &dyn Users,
    path: &Path,
    command: &UserCommand,
    password: Option<&Password>,
) -> Result<Option<(&'static str, User)>, Failed> {
    let unknown = |name: &str| Failed::Unknown { name: name.to_owned(), folder: path.to_owned() };
    Ok(Some(match (command, password) {
        (UserCommand::Add { login, roles, .. }, Some(password)) => {
            let added = users.add(&login.name, password.hash()?).await.map_err(|error| match error {
                UserError::Exists => Failed::Exists { name: login.name.clone(), folder: path.to_owned() },
                other => other.into(),
            })?;
            // Until then the user has none.
            let given = if roles.is_empty() { None } else { users.set_roles(&login.name, roles.clone()).await? };
            ("added", given.unwrap_or(added))
        }
        (UserCommand::Roles { name, roles, .. }, _) => {
            ("changed", users.set_roles(name, roles.clone()).await?.ok_or_else(|| unknown(name))?)
        }
        (UserCommand::Passwd { login, .. }, Some(password)) => {
            let user = users.set_password(&login.name, password.hash()?).await?;
            ("changed", user.ok_or_else(|| unknown(&login.name))?)
        }
        (UserCommand::Remove { name, .. }, _) => ("removed", users.remove(name).await?.ok_or_else(|| unknown(name))?),
        _ => return Ok(None),
    }))
}

/// A password that was given, or one that was made and must be told.
enum Password {
    Given(Zeroizing<String>),
    Made(Zeroizing<String>),
}

impl Password {
    /// The one that the command sets, if it sets one for a name that can be.
    fn wanted(command: &UserCommand, input: &mut dyn Read) -> Result<Option<Self>, Failed> {
        match command {
            UserCommand::Add { login, .. } if !is_name(&login.name) => Err(UserError::BadName.into()),
            UserCommand::Add { roles, .. } if !are_roles(roles) => Err(UserError::BadRoles.into()),
            UserCommand::Add { login, .. } | UserCommand::Passwd { login, .. } => Self::of(login, input).map(Some),
            UserCommand::Roles { .. } | UserCommand::List { .. } | UserCommand::Remove { .. } => Ok(None),
        }
    }

    fn of(login: &Login, input: &mut dyn Read) -> Result<Self, Failed> {
        if !login.password_stdin {
            return Ok(Self::Made(data::new_password()?));
        }
        let given = data::read_password(input)?;
        if given.chars().count() < SHORTEST { Err(Failed::Short) } else { Ok(Self::Given(given)) }
    }

    fn hash(&self) -> Result<PasswordHash, Failed> {
        let (Self::Given(text) | Self::Made(text)) = self;
        PasswordHash::of(text.as_bytes()).map_err(|_| Failed::Hash)
    }
}

fn tell(done: &str, user: &User, file: &Path, password: Option<&Password>, out: &mut dyn Write) -> Result<(), Failed> {
    writeln!(out, "{done} {} {}", user.name, user.ext_id)?;
    writeln!(out, "wrote {}", file.display())?;
    if let Some(Password::Made(password)) = password {
        writeln!(out, "password {}", password.as_str())?;
    }
    Ok(())
}

async fn list(users: &dyn Users, out: &mut dyn Write) -> Result<(), Failed> {
    for user in users.list().await? {
        let roles = if user.roles.is_empty() { String::new() } else { format!("\t{}", user.roles.join(",")) };
        writeln!(out, "{}\t{}{roles}", user.name, user.ext_id)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::super::arguments::{Arguments, Command};
    use super::*;

    async fn run_on(folder: &Path, line: &str, input: &[u8]) -> Result<String, Failed> {
        let arguments = Arguments::try_parse_from(["sidegate", "user"].into_iter().chain(line.split(' '))).unwrap();
        let Some(Command::User(command)) = arguments.command else { panic!("{line}") };
        let mut out = Vec::new();
        run(command, &folder.join("var"), &mut { input }, &mut out).await?;
        Ok(String::from_utf8(out).unwrap())
    }

    fn printed_password(told: &str) -> &str {
        told.lines().last().unwrap().strip_prefix("password ").unwrap()
    }

    #[tokio::test]
    async fn users_come_and_go() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("var/users");
        let wrote = format!("wrote {}", path.display());
        let added = run_on(folder.path(), "add jeff --password-stdin", b"correct horse\n").await.unwrap();
        let (made, added) = added.split_once('\n').unwrap();
        assert_eq!(made, format!("{}: {}", folder.path().join("var").display(), data::MADE));
        let (first, rest) = added.split_once('\n').unwrap();
        let ext_id = first.strip_prefix("added jeff ").unwrap();
        assert_eq!(rest.trim_end(), wrote);
        let printed = run_on(folder.path(), "add eve", b"").await.unwrap();
        assert!(printed.starts_with("added eve "), "the folder is there: {printed}");
        let file = UsersFile::open(path).unwrap();
        let verifies =
            async |name: &str, password: &[u8]| file.by_name(name).await.unwrap().unwrap().password.verify(password);
        assert!(verifies("jeff", b"correct horse").await);
        assert!(verifies("eve", printed_password(&printed).as_bytes()).await);
        let again = run_on(folder.path(), "add eve", b"").await.unwrap_err().to_string();
        assert!(again.starts_with("there is a user \"eve\" already: `sidegate user passwd eve --data "), "{again}");
        let listed = run_on(folder.path(), "list", b"").await.unwrap();
        assert!(listed.contains(&format!("jeff\t{ext_id}\n")) && listed.lines().count() == 2, "{listed}");
        let removed = run_on(folder.path(), "remove jeff", b"").await.unwrap();
        assert_eq!(removed, format!("removed jeff {ext_id}\n{wrote}\n"));
        assert!(matches!(run_on(folder.path(), "remove jeff", b"").await, Err(Failed::Unknown { .. })));
    }

    #[tokio::test]
    async fn a_password_changes_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let added = run_on(folder.path(), "add jeff", b"").await.unwrap();
        let file = UsersFile::open(folder.path().join("var/users")).unwrap();
        let verifies =
            async |password: &str| file.by_name("jeff").await.unwrap().unwrap().password.verify(password.as_bytes());
        let changed = run_on(folder.path(), "passwd jeff --password-stdin", b"correct horse\n").await.unwrap();
        assert_eq!(changed.lines().next().unwrap().replace("changed", "added"), added.lines().nth(1).unwrap());
        assert!(verifies("correct horse").await && !verifies(printed_password(&added)).await);
        let changed = run_on(folder.path(), "passwd jeff", b"").await.unwrap();
        assert!(verifies(printed_password(&changed)).await && !verifies("correct horse").await);
        assert!(matches!(run_on(folder.path(), "passwd eve", b"").await, Err(Failed::Unknown { .. })));
        assert!(matches!(run_on(folder.path(), "passwd jeff --password-stdin", b"").await, Err(Failed::Password(_))));
    }

    #[tokio::test]
    async fn roles_are_given_and_taken() {
        let folder = tempfile::tempdir().unwrap();
        let bad = run_on(folder.path(), "add jeff --role a,b", b"").await;
        assert!(bad.as_ref().unwrap_err().to_string().ends_with("; write --role once for each"), "{bad:?}");
        assert!(matches!(bad, Err(Failed::User(UserError::BadRoles))) && !folder.path().join("var").exists());
        run_on(folder.path(), "add jeff --role boss --role teller", b"").await.unwrap();
        run_on(folder.path(), "add eve", b"").await.unwrap();
        let listed = async || run_on(folder.path(), "list", b"").await.unwrap();
        let roles = |listed: &str| {
            listed.lines().map(|line| line.split('\t').nth(2).unwrap_or_default().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(roles(&listed().await), ["boss,teller", ""]);
        run_on(folder.path(), "passwd jeff", b"").await.unwrap();
        assert_eq!(roles(&listed().await), ["boss,teller", ""]);
        let changed = run_on(folder.path(), "roles eve --role boss", b"").await.unwrap();
        assert!(changed.starts_with("changed eve "), "{changed}");
        run_on(folder.path(), "roles jeff", b"").await.unwrap();
        assert_eq!(roles(&listed().await), ["", "boss"]);
        assert!(matches!(run_on(folder.path(), "roles nobody", b"").await, Err(Failed::Unknown { .. })));
        assert!(matches!(
            run_on(folder.path(), "roles eve --role a,b", b"").await,
            Err(Failed::User(UserError::BadRoles))
        ));
    }

    #[tokio::test]
    async fn a_short_password_is_refused_and_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let short = |done: Result<String, Failed>| matches!(done, Err(Failed::Short));
        assert!(short(run_on(folder.path(), "add jeff --password-stdin", "1234567\n".as_bytes()).await));
        assert!(!folder.path().join("var").exists(), "a refused user leaves no folder");
        let named = run_on(folder.path(), "add a:b", b"").await;
        assert!(matches!(named, Err(Failed::User(UserError::BadName))) && !folder.path().join("var").exists());
        // Characters count, not bytes.
        run_on(folder.path(), "add jeff --password-stdin", "12345äöü\n".as_bytes()).await.unwrap();
        assert!(short(run_on(folder.path(), "passwd jeff --password-stdin", "äöüäöü\n".as_bytes()).await));
    }

    #[tokio::test]
    async fn a_lost_users_file_is_made_anew_only_when_asked_to() {
        for (store, lost) in [(data::STORE, None), ("sidegate.redb.made", None), (data::STORE, Some(&b""[..]))] {
            let folder = tempfile::tempdir().unwrap();
            let users = folder.path().join("var/users");
            run_on(folder.path(), "add jeff", b"").await.unwrap();
            let ext_id = UsersFile::open(&users).unwrap().list().await.unwrap().remove(0).ext_id;
            std::fs::write(folder.path().join("var").join(store), "").unwrap();
            run_on(folder.path(), "add eve", b"").await.unwrap();
            std::fs::remove_file(&users).unwrap();
            lost.into_iter().for_each(|text| crate::store::private_file::replace(&users, text).unwrap());
            for line in ["list", "remove jeff", "passwd jeff", "add jeff"] {
                let error = run_on(folder.path(), line, b"").await.unwrap_err().to_string();
                assert!(error.contains("put it back") && error.contains("--new-users-file"), "{line}: {error}");
            }
            assert_eq!(std::fs::read(&users).ok().as_deref(), lost, "it is left as it is");
            run_on(folder.path(), "add jeff --new-users-file", b"").await.unwrap();
            let listed = run_on(folder.path(), "list", b"").await.unwrap();
            assert!(listed.lines().count() == 1 && !listed.contains(ext_id.as_str()), "{listed}");
        }
    }

    #[tokio::test]
    async fn only_a_new_user_makes_a_data_folder() {
        let folder = tempfile::tempdir().unwrap();
        let var = folder.path().join("var");
        for made in [false, true] {
            if made {
                std::fs::create_dir(&var).unwrap();
            }
            for line in ["list", "remove jeff", "passwd jeff"] {
                let error = run_on(folder.path(), line, b"").await.unwrap_err().to_string();
                assert!(error.starts_with("there is no users file") && error.contains("--config"), "{error}");
                assert_eq!(var.exists(), made, "{line}");
            }
        }
        assert_eq!(std::fs::read_dir(&var).unwrap().count(), 0, "nothing is made in the wrong folder");
        let told = run_on(folder.path(), "add jeff", b"").await.unwrap();
        assert!(told.starts_with(&format!("{}: {}", var.display(), data::CLOSED)), "{told}");
    }
}
