//! What an operator does with the program: which folder it works on, whom its files belong to, how a start fails
//! (`gateway.md` 6.1).

use std::fs::Permissions;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{ChildStdin, Command, Output, Stdio};

use rstest::rstest;

use crate::support::{ports, wait};

/// An account that is not root's.
const OTHER: u32 = 65534;

/// Runs the program in `folder` to its end.
fn run(folder: &Path, line: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sidegate"));
    command.current_dir(folder).env("DATA_OF_THE_TEST", "from-environment");
    command.args(line.split(' ')).output().unwrap()
}

fn told(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat()
}

fn good(folder: &Path, line: &str) -> String {
    let output = run(folder, line);
    assert_eq!(output.status.code(), Some(0), "{line}: {}", told(&output));
    told(&output)
}

fn bad(folder: &Path, line: &str) -> String {
    let output = run(folder, line);
    assert_eq!(output.status.code(), Some(1), "{line}: {}", told(&output));
    told(&output)
}

/// A configuration with this data folder.
fn configured(folder: &Path, name: &str, data: &str) {
    let standalone = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/conf/standalone.yml")).unwrap();
    std::fs::create_dir_all(folder.join(name).parent().unwrap()).unwrap();
    std::fs::write(folder.join(name), format!("{standalone}\ndata: {data}\n")).unwrap();
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// A folder of another account. Only root can give one away: elsewhere the test can't be made, and says so.
fn foreign() -> Option<tempfile::TempDir> {
    let folder = tempfile::tempdir().unwrap();
    if std::fs::metadata(folder.path()).unwrap().uid() != 0 {
        println!("not run as root: files of other accounts are not looked at");
        return None;
    }
    chown(folder.path(), Some(OTHER), Some(OTHER)).unwrap();
    Some(folder)
}

#[test]
fn commands_find_the_data_folder_as_the_gateway_does() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    configured(path, "etc/gate.yml", "../data");
    configured(path, "env.yml", "${env:DATA_OF_THE_TEST}");
    for (line, users) in [
        ("user add jeff", "./var/users"),
        ("user add jeff --config etc/gate.yml", "etc/../data/users"),
        ("user add jeff --config env.yml", "from-environment/users"),
        ("user add jeff --config etc/gate.yml --data flag", "flag/users"),
    ] {
        let told = good(path, line);
        assert!(told.contains(&format!("wrote {users}\n")), "{line}: {told}");
        assert!(path.join(users).is_file(), "{line}");
    }
    good(path, "keygen --sectoken --config etc/gate.yml");
    assert!(path.join("data/sectoken.pem").is_file() && !path.join("var/sectoken.pem").exists());
    assert!(good(path, "user list --config etc/gate.yml").starts_with("jeff\t"));
}

#[test]
fn a_wrong_configuration_or_folder_is_told_and_nothing_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    configured(path, "gate.yml", "data");
    std::fs::write(path.join("broken.yml"), "dada: x\n").unwrap();
    for (line, reason) in [
        ("user add jeff --config missing.yml", "does not exist"),
        ("user add jeff --config broken.yml", "dada"),
        ("keygen --sectoken --config broken.yml", "dada"),
        ("user list --config gate.yml", "there is no users file data/users"),
        ("user remove jeff --data nowhere", "there is no users file nowhere/users"),
        ("user passwd jeff", "there is no users file ./var/users"),
        ("device demo", "name the gateway's data folder with --data"),
        ("device register", "./var/demo.password is not there"),
        ("device register --config gate.yml", "data/demo.password is not there"),
        ("device delete", "this phone has no key yet"),
    ] {
        let told = bad(path, line);
        assert!(told.contains(reason), "{line}: {told}");
        assert_eq!(names(path), ["broken.yml", "gate.yml"], "{line}");
    }
}

#[test]
fn each_of_several_faults_says_whose_it_is() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("broken.yml"), "dada: x\nlisteners: []\nzzz: 1\n").unwrap();
    for command in ["explain", "user list", "keygen --sectoken"] {
        let output = run(folder.path(), &format!("{command} --config broken.yml"));
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(told.lines().count() > 1, "{told}");
        assert!(told.lines().all(|line| line.starts_with("sidegate: broken.yml:")), "{command}: {told}");
    }
}

#[test]
fn a_faulty_configuration_ends_check_and_explain_alike() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::write(path.join("broken.yml"), "dada: x\n").unwrap();
    configured(path, "unfit.yml", "data\nroutes: [{ name: r, path: /r, methods: [GET], filters: [], upstream: u }]");
    let upstream = "upstreams: { u: { url: 'https://u', tls: { ca: no-certificate.pem } } }";
    let text = std::fs::read_to_string(path.join("unfit.yml")).unwrap();
    std::fs::write(path.join("unfit.yml"), format!("{text}{upstream}\n")).unwrap();
    std::fs::write(path.join("no-certificate.pem"), "none").unwrap();
    for (file, reason) in
        [("broken.yml", "dada"), ("missing.yml", "does not exist"), ("unfit.yml", "no-certificate.pem")]
    {
        for command in ["check", "explain", "explain GET /"] {
            let output = run(path, &format!("{command} --config {file}"));
            let told = told(&output);
            assert_eq!(output.status.code(), Some(2), "{command} {file}: {told}");
            assert!(told.contains(reason), "{command} {file}: {told}");
        }
    }
}

#[test]
fn nothing_is_said_to_who_has_read_enough() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_sidegate"));
    command.current_dir(folder.path()).arg("explain").stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut explain = command.spawn().unwrap();
    drop(explain.stdout.take());
    let output = explain.wait_with_output().unwrap();
    assert_eq!((output.status.code(), told(&output)), (Some(1), String::new()));
}

/// Neither by a check nor by a start: it would be in a log.
#[test]
fn what_is_substituted_or_no_configuration_is_not_printed() {
    /// See [`run`].
    const SECRET: &str = "from-environment";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    configured(
        path,
        "keys.yml",
        "${env:DATA_OF_THE_TEST}\nfilters: { f: { type: delegation, rules: ['AUTH:${env:DATA_OF_THE_TEST}:X-A'] } }",
    );
    let text = std::fs::read_to_string(path.join("keys.yml")).unwrap();
    let tls = "tls: { client-certificate: '${env:DATA_OF_THE_TEST}', client-key: '${file:secret}' }";
    std::fs::write(path.join("keys.yml"), format!("{text}upstreams: {{ u: {{ url: 'https://u', {tls} }} }}\n"))
        .unwrap();
    std::fs::write(path.join("secret"), format!("-----BEGIN\n{SECRET}\n")).unwrap();
    std::fs::write(path.join("shadow"), format!("{SECRET}:*:19000:0:99999:7:::\nother:{SECRET}:1::::::\n")).unwrap();
    std::fs::write(path.join("diary"), format!("Dear diary,\n{SECRET} is: {SECRET}\n")).unwrap();
    for file in ["keys.yml", "shadow", "diary"] {
        for command in ["check", "explain", "serve"] {
            let line = format!("{command} --config {file}");
            let output = run(path, &line);
            let told = told(&output);
            assert!(!output.status.success(), "{line}: {told}");
            assert!(told.contains(&format!("{file}:")) && !told.contains(SECRET), "{line}: {told}");
        }
    }
}

#[test]
fn a_proxy_without_logins_needs_no_session_domain() {
    let folder = tempfile::tempdir().unwrap();
    let proxy = "public-url: 'http://127.0.0.1:8080'\nlisteners: [{ class: public, address: '127.0.0.1:8080' }]\n\
                 upstreams: { u: { url: 'http://127.0.0.1:9' } }\n\
                 routes: [{ name: all, path: '/*', methods: [GET], filters: [], upstream: u }]\n";
    std::fs::write(folder.path().join("proxy.yml"), proxy).unwrap();
    good(folder.path(), "check --config proxy.yml");
}

#[test]
fn root_does_nothing_in_the_folder_of_another_account() {
    let Some(folder) = foreign() else { return };
    let data = folder.path().display();
    let [public, internal, management] = [(); 3].map(|()| ports::free());
    let serve = format!(
        "serve --listen 127.0.0.1:{public} --internal 127.0.0.1:{internal} --management 127.0.0.1:{management}"
    );
    let users = ["user add jeff", "user passwd jeff", "user remove jeff", "user list"];
    for line in users.into_iter().chain(["keygen --sectoken", "device register", &serve]) {
        let told = bad(Path::new("/"), &format!("{line} --data {data}"));
        assert!(told.contains("belongs to the account ") && told.contains("sudo -u '"), "{line}: {told}");
        assert_eq!(names(folder.path()), Vec::<String>::new(), "{line}");
    }
    let told = bad(folder.path(), "keygen --self-signed .");
    assert!(told.contains("belongs to the account "), "{told}");
    assert_eq!(names(folder.path()), Vec::<String>::new());
}

/// An account that can't get at a folder is told whose it is, by every command.
#[test]
fn a_closed_folder_is_told_with_its_owner() {
    let folder = tempfile::tempdir().unwrap();
    let root = std::fs::metadata(folder.path()).unwrap().uid() == 0;
    if !root {
        return println!("not run as root: no command is run as another account");
    }
    std::fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    // The program's own folder need not be open to everybody.
    let program = folder.path().join("sidegate");
    std::fs::copy(env!("CARGO_BIN_EXE_sidegate"), &program).unwrap();
    std::fs::DirBuilder::new().mode(0o700).create(folder.path().join("var")).unwrap();
    for (line, reason) in [
        ("user add jeff", "var belongs to the account root, and this process runs as "),
        ("user list", "var belongs to the account root, and this process runs as "),
        ("keygen --sectoken", "var belongs to the account root, and this process runs as "),
        ("user add jeff --data new", "make the folder for it as root"),
        ("user add jeff --data var/below", "make the folder for it as root"),
    ] {
        let mut command = Command::new(&program);
        let output = command.current_dir(folder.path()).uid(OTHER).gid(OTHER).args(line.split(' ')).output().unwrap();
        let told = told(&output);
        assert_eq!(output.status.code(), Some(1), "{line}: {told}");
        let absolute = format!("{}/", folder.path().display());
        let install = format!("install -d -m 700 -o {OTHER}");
        assert!([reason, &absolute, &install].iter().all(|part| told.contains(*part)), "{line}: {told}");
    }
}

#[test]
fn a_start_that_finds_an_address_taken_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let [internal, management] = [(); 2].map(|()| ports::free());
    let told = bad(
        folder.path(),
        &format!(
            "serve --listen {} --internal 127.0.0.1:{internal} --management 127.0.0.1:{management}",
            taken.local_addr().unwrap()
        ),
    );
    let wrong = "cannot be listened on, for the public listener (listeners[0].address): Address already in use";
    assert!(told.contains(wrong) && told.contains("or with --listen, --internal, --management"), "{told}");
    assert!(!told.contains("--upgrade"), "no gateway of this folder was ever there: {told}");
    assert_eq!(names(folder.path()), Vec::<String>::new());
}

#[test]
fn a_broken_users_file_is_told_once() {
    let folder = tempfile::tempdir().unwrap();
    good(folder.path(), "user add jeff");
    let users = folder.path().join("var/users");
    std::fs::write(&users, "nonsense\n").unwrap();
    let [public, internal, management] = [(); 3].map(|()| ports::free());
    let serve = format!(
        "serve --listen 127.0.0.1:{public} --internal 127.0.0.1:{internal} --management 127.0.0.1:{management}"
    );
    for line in ["user add eve", serve.as_str()] {
        let told = bad(folder.path(), line);
        assert_eq!(told.matches("line 1: it must be name:extId:hash or").count(), 1, "{line}: {told}");
    }
}

#[test]
fn a_bearer_that_others_may_read_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    good(path, "user add jeff");
    configured(path, "own.yml", "var");
    let written = std::fs::read_to_string(path.join("own.yml")).unwrap();
    let roles = "roles: [act-for, admin]";
    let written = written.replace(roles, &format!("token-file: caller.token\n    {roles}"));
    std::fs::write(path.join("file.yml"), written).unwrap();
    let [public, internal, management] = [(); 3].map(|()| ports::free());
    let serve = format!(
        "serve --listen 127.0.0.1:{public} --internal 127.0.0.1:{internal} --management 127.0.0.1:{management}"
    );
    for (config, file) in [("own.yml", "var/internal.token"), ("file.yml", "caller.token")] {
        let file = path.join(file);
        std::fs::write(&file, "a-bearer-of-forty-characters-and-no-more").unwrap();
        std::fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
        let told = bad(path, &format!("{serve} --config {config}"));
        let wrong = format!("{} has mode 644; it must be 600", file.file_name().unwrap().display());
        assert!(told.contains(&wrong), "{config}: {told}");
        assert!(!told.contains("a-bearer-of"), "{config}: {told}");
    }
}

#[test]
fn a_certificate_names_the_hosts_that_were_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let told = good(folder.path(), "keygen --self-signed certs --name gate.example --name 192.0.2.7");
    assert!(told.contains("for gate.example, 192.0.2.7;"), "{told}");
    let pem = std::fs::read(folder.path().join("certs/server.pem")).unwrap();
    let names = openssl::x509::X509::from_pem(&pem).unwrap().subject_alt_names().unwrap();
    assert_eq!(names.len(), 2);
    assert_eq!(names[0].dnsname(), Some("gate.example"));
    assert_eq!(names[1].ipaddress(), Some([192, 0, 2, 7].as_slice()));
}

/// What the terminal shows of a shell's line, once this is typed at the prompt for a password.
fn at_a_terminal(folder: &Path, line: &str, typed: &[u8]) -> String {
    at_the_prompt(folder, line, |keys| keys.write_all(typed).unwrap())
}

/// The same of what is done at the prompt.
pub(crate) fn at_the_prompt(folder: &Path, line: &str, deed: impl FnOnce(&mut ChildStdin)) -> String {
    let mut command = Command::new("script");
    command.args(["-q", "-e", "-c", line, "/dev/null"]).current_dir(folder).env("SHELL", "/bin/sh");
    command.env("SIDEGATE", env!("CARGO_BIN_EXE_sidegate"));
    let mut terminal = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut keys, mut screen) = (terminal.stdin.take().unwrap(), terminal.stdout.take().unwrap());
    let mut shown = Vec::new();
    while !shown.ends_with(b"password (not shown): ") {
        let mut byte = [0];
        assert_eq!(screen.read(&mut byte).unwrap(), 1, "{}", String::from_utf8_lossy(&shown));
        shown.extend(byte);
    }
    deed(&mut keys);
    screen.read_to_end(&mut shown).unwrap();
    terminal.wait().unwrap();
    String::from_utf8(shown).unwrap()
}

#[test]
fn a_password_is_asked_for_at_a_terminal_and_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let line = r#""$SIDEGATE" user add jeff --password-stdin; echo "code $?"; stty -a"#;
    let shown = at_a_terminal(folder.path(), line, b"correct horse\n");
    assert!(shown.contains("added jeff") && shown.contains("code 0"), "{shown}");
    assert!(!shown.contains("correct horse") && !shown.contains("-echo "), "{shown}");
    let users = std::fs::read_to_string(folder.path().join("var/users")).unwrap();
    let hash = users.lines().last().unwrap().splitn(3, ':').nth(2).unwrap();
    let hash = argon2::PasswordHash::new(hash).unwrap();
    argon2::PasswordVerifier::verify_password(&argon2::Argon2::default(), b"correct horse", &hash).unwrap();
}

#[test]
fn ctrl_c_at_the_prompt_restores_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let line = r#"trap : INT; "$SIDEGATE" user add jeff --password-stdin; echo "code $?"; stty -a"#;
    let shown = at_a_terminal(folder.path(), line, b"correct\x03");
    assert!(shown.contains("code 130"), "{shown}");
    let restored = |mode: &str| shown.split_whitespace().any(|word| word == mode);
    assert!(restored("echo") && restored("isig") && !shown.contains("correct"), "{shown}");
    assert_eq!(names(folder.path()), Vec::<String>::new());
}

#[rstest]
#[case("HUP", 129)]
#[case("INT", 130)]
#[case("QUIT", 131)]
#[case("TERM", 143)]
fn a_signal_at_the_prompt_restores_the_terminal(#[case] signal: &str, #[case] code: i32) {
    let folder = tempfile::tempdir().unwrap();
    let sidegate = r#"sh -c 'echo $$ > pid; exec "$SIDEGATE" user add jeff --password-stdin'"#;
    let line = format!(r#"trap : INT; {sidegate}; echo "code $?"; stty -a"#);
    let shown = at_the_prompt(folder.path(), &line, |_| {
        let process = std::fs::read_to_string(folder.path().join("pid")).unwrap();
        assert!(Command::new("kill").args(["-s", signal, process.trim()]).status().unwrap().success());
    });
    assert!(shown.contains(&format!("code {code}")), "{shown}");
    let restored = |mode: &str| shown.split_whitespace().any(|word| word == mode);
    assert!(restored("echo") && restored("isig"), "{shown}");
    assert_eq!(names(folder.path()), ["pid"]);
}

#[test]
fn a_misspelt_flag_is_named_wherever_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    for (line, wrong, meant) in [
        ("--confg x serve", "--confg", "--config"),
        ("--confg x", "--confg", "--config"),
        ("--confg=x serve", "--confg", "--config"),
        ("serve --confg x", "--confg", "--config"),
        ("--dat x user list", "--dat", "--data"),
        ("--sate x device delete", "--sate", "--state"),
        ("--config x --sate x device register", "--sate", "--state"),
    ] {
        let output = run(folder.path(), line);
        let told = told(&output);
        assert_eq!(output.status.code(), Some(64), "{line}: {told}");
        assert!(told.contains(&format!("unexpected argument '{wrong}'")) && told.contains(meant), "{line}: {told}");
        assert!(!told.contains("unrecognized subcommand"), "{line}: {told}");
    }
}

#[test]
fn an_address_is_refused_alike_on_the_command_line_and_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/conf/standalone.yml")).unwrap();
    for (address, wrong) in [
        ("localhost:8080", "this is a name, and names are not taken: localhost is 127.0.0.1"),
        ("8080", "this is no address with a port"),
        (":8080", "this is no address with a port"),
        ("127.0.0.1:80800", "the port is above 65535"),
    ] {
        let whole = format!("{wrong}; write ADDRESS:PORT, such as 127.0.0.1:8080 or [::1]:8080");
        for flag in ["--listen", "--internal", "--management"] {
            let output = run(folder.path(), &format!("serve {flag} {address}"));
            assert_eq!(output.status.code(), Some(64), "{flag} {address}");
            let told = told(&output);
            assert!(told.contains(&whole) && told.contains(flag), "{flag} {address}: {told}");
        }
        let text = file.replace("address: 127.0.0.1:8080", &format!("address: '{address}'"));
        assert_ne!(text, file);
        std::fs::write(folder.path().join("gate.yml"), text).unwrap();
        let told = told(&run(folder.path(), "check --config gate.yml"));
        assert!(told.contains(&whole), "{address}: {told}");
    }
}

#[test]
fn a_demo_password_that_was_removed_is_told_with_what_mends_it() {
    let folder = tempfile::tempdir().unwrap();
    good(folder.path(), "user add demo --data data");
    let told = bad(folder.path(), "device demo --data data");
    let mend = " user passwd demo --data data | sed -n 's/^password //p' > data/demo.password)` puts a new one there";
    assert!(told.contains("data/demo.password: it is not there") && told.contains(mend), "{told}");
}

#[test]
fn a_demo_password_where_nobody_is_demo_is_no_use() {
    let folder = tempfile::tempdir().unwrap();
    let made = good(folder.path(), "user add jeff --data data");
    assert!(made.starts_with("data: the folder was not there and is made anew"), "{made}");
    let told = bad(folder.path(), "device demo --data data");
    assert!(told.contains("there is no user demo") && !told.contains("passwd"), "{told}");
    let mend = "user add NAME --password-stdin --data data` adds one";
    assert!(told.contains("--user NAME --password-stdin: `") && told.contains(mend), "{told}");
    good(folder.path(), "user list --data data");
}

#[test]
fn on_a_terminal_its_log_is_text_and_elsewhere_json() {
    let [public, internal, management] = [(); 3].map(|()| ports::free());
    let line = format!(
        "serve --data var --listen 127.0.0.1:{public} --internal 127.0.0.1:{internal} --management 127.0.0.1:{management}"
    );
    let ask = || {
        let mut stream = TcpStream::connect(("127.0.0.1", public)).ok()?;
        stream.write_all(b"GET /nowhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").ok()?;
        stream.read_to_string(&mut String::new()).ok().filter(|length| *length > 0)
    };
    let until_asked = |folder: &Path| {
        wait::blocking(wait::BOUND, ask).expect("it answers");
        let process = std::fs::read_to_string(folder.join("pid")).unwrap();
        assert!(Command::new("kill").args(["-s", "TERM", process.trim()]).status().unwrap().success());
    };
    let begin = |mut command: Command, folder: &Path| {
        command.current_dir(folder).env("SHELL", "/bin/sh").env("SIDEGATE", env!("CARGO_BIN_EXE_sidegate"));
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        until_asked(folder);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        let written = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
        // A terminal is told colours (ECMA-48 8.3.117).
        let pieces = written.split("\x1b[").enumerate();
        pieces.map(|(at, piece)| if at == 0 { piece } else { piece.split_once('m').unwrap().1 }).collect::<String>()
    };
    let (terminal, pipe) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let line = format!("echo $$ > pid; exec \"$SIDEGATE\" {line}");
    let mut command = Command::new("script");
    command.args(["-q", "-e", "-c", &line, "/dev/null"]);
    let shown = begin(command, terminal.path());
    let is_json = |line: &str| serde_json::from_str::<serde_json::Value>(line).is_ok_and(|line| line.is_object());
    assert!(shown.contains("INFO") && shown.contains("status=404"), "{shown}");
    let demo = std::fs::read_to_string(terminal.path().join("var/demo.password")).unwrap();
    assert_eq!(shown.matches(&format!("password of demo: {}", demo.trim())).count(), 1, "{shown}");
    assert!(shown.matches(demo.trim()).count() == 1 && !shown.lines().any(is_json), "{shown}");

    let mut command = Command::new("sh");
    command.args(["-c", &line]);
    let piped = begin(command, pipe.path());
    let demo = std::fs::read_to_string(pipe.path().join("var/demo.password")).unwrap();
    assert!(piped.contains("\"status\":404") && piped.lines().all(is_json), "{piped}");
    assert!(!piped.contains(demo.trim()));
}
