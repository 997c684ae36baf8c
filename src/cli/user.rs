//! `sidegate user`: the users' file. A running gateway sees each change at the next question it asks.

use std::io::{self, Read, Write};

use zeroize::Zeroizing;

use super::arguments::UserCommand;
use super::data;
use crate::jose::CryptoError;
use crate::store::users::{PasswordHash, UserError, UsersFile, UsersFileError};
use crate::store::{DataFolder, FolderError, StoreError, Users};

/// The longest password taken, in bytes.
const LONGEST: u64 = 1024;

/// The command came to nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failed {
    #[error("the password is empty, not UTF-8, or longer than {LONGEST} bytes")]
    Password,
    #[error("there is no user of this name")]
    Unknown,
    #[error("the password can't be hashed")]
    Hash,
    #[error(transparent)]
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

/// Runs one command.
pub(super) async fn run(command: UserCommand, input: &mut dyn Read, out: &mut dyn Write) -> Result<(), Failed> {
    let folder = match &command {
        UserCommand::Add { data, .. } => DataFolder::open(&data.folder)?,
        UserCommand::List { data } | UserCommand::Remove { data, .. } => DataFolder::open_existing(&data.folder)?,
    };
    let users = UsersFile::open(folder.file(data::USERS))?;
    match command {
        UserCommand::Add { name, password_stdin: true, .. } => add(&users, &name, &read_password(input)?, out).await,
        UserCommand::Add { name, .. } => {
            let password = data::new_password()?;
            add(&users, &name, &password, out).await?;
            Ok(writeln!(out, "password {}", password.as_str())?)
        }
        UserCommand::List { .. } => list(&users, out).await,
        UserCommand::Remove { name, .. } => {
            let user = users.remove(&name).await?.ok_or(Failed::Unknown)?;
            Ok(writeln!(out, "removed {} {}", user.name, user.ext_id)?)
        }
    }
}

async fn add(users: &dyn Users, name: &str, password: &str, out: &mut dyn Write) -> Result<(), Failed> {
    let hash = PasswordHash::of(password.as_bytes()).map_err(|_| Failed::Hash)?;
    let user = users.add(name, hash).await?;
    Ok(writeln!(out, "added {} {}", user.name, user.ext_id)?)
}

async fn list(users: &dyn Users, out: &mut dyn Write) -> Result<(), Failed> {
    for user in users.list().await? {
        writeln!(out, "{}\t{}", user.name, user.ext_id)?;
    }
    Ok(())
}

/// The whole input without one line end.
fn read_password(input: &mut dyn Read) -> Result<Zeroizing<String>, Failed> {
    let mut text = Zeroizing::new(String::new());
    input.take(LONGEST + 3).read_to_string(&mut text).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidData => Failed::Password,
        _ => Failed::Io(error),
    })?;
    let password = text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
    let fits = (1..=LONGEST).contains(&u64::try_from(password.len()).unwrap_or(u64::MAX));
    if fits { Ok(Zeroizing::new(password.to_owned())) } else { Err(Failed::Password) }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use rstest::rstest;

    use super::super::arguments::DataFlag;
    use super::*;

    async fn run_on(folder: &Path, line: &str, input: &[u8]) -> Result<String, Failed> {
        let data = DataFlag { folder: folder.join("var") };
        let command = match *line.split(' ').collect::<Vec<_>>() {
            ["add", name] => UserCommand::Add { name: name.to_owned(), password_stdin: false, data },
            ["add", name, _] => UserCommand::Add { name: name.to_owned(), password_stdin: true, data },
            ["remove", name] => UserCommand::Remove { name: name.to_owned(), data },
            _ => UserCommand::List { data },
        };
        let mut out = Vec::new();
        run(command, &mut { input }, &mut out).await?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[tokio::test]
    async fn users_come_and_go() {
        let folder = tempfile::tempdir().unwrap();
        let added = run_on(folder.path(), "add jeff --password-stdin", b"correct horse\n").await.unwrap();
        let ext_id = added.trim().strip_prefix("added jeff ").unwrap().to_owned();
        let printed = run_on(folder.path(), "add eve", b"").await.unwrap();
        let password = printed.lines().last().unwrap().strip_prefix("password ").unwrap().to_owned();
        let file = UsersFile::open(folder.path().join("var/users")).unwrap();
        let verifies =
            async |name: &str, password: &[u8]| file.by_name(name).await.unwrap().unwrap().password.verify(password);
        assert!(verifies("jeff", b"correct horse").await);
        assert!(verifies("eve", password.as_bytes()).await);
        assert!(matches!(run_on(folder.path(), "add eve", b"").await, Err(Failed::User(UserError::Exists))));
        let listed = run_on(folder.path(), "list", b"").await.unwrap();
        assert!(listed.contains(&format!("jeff\t{ext_id}\n")) && listed.lines().count() == 2, "{listed}");
        assert_eq!(run_on(folder.path(), "remove jeff", b"").await.unwrap(), format!("removed jeff {ext_id}\n"));
        assert!(matches!(run_on(folder.path(), "remove jeff", b"").await, Err(Failed::Unknown)));
    }

    #[tokio::test]
    async fn only_a_new_user_makes_a_data_folder() {
        let folder = tempfile::tempdir().unwrap();
        for line in ["list", "remove jeff"] {
            let error = run_on(folder.path(), line, b"").await.unwrap_err().to_string();
            assert!(error.starts_with("there is no data folder") && error.contains("--data"), "{error}");
            assert!(!folder.path().join("var").exists(), "{line}");
        }
        run_on(folder.path(), "add jeff", b"").await.unwrap();
        assert!(folder.path().join("var").is_dir());
    }

    #[rstest]
    #[case(b"secret\n", Some("secret"))]
    #[case(b"secret\r\n", Some("secret"))]
    #[case(b" two words \n\n", Some(" two words \n"))]
    #[case(b"secret", Some("secret"))]
    #[case(b"\n", None)]
    #[case(b"", None)]
    #[case(b"\xff\n", None)]
    #[case(&[b'a'; 1025], None)]
    fn the_password_is_the_input_without_one_line_end(#[case] input: &[u8], #[case] expected: Option<&str>) {
        let password = read_password(&mut { input });
        assert_eq!(password.ok().as_deref().map(String::as_str), expected);
    }
}
