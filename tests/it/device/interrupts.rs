//! Ctrl-C while the phone plays its story.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread;

use rstest::rstest;

use crate::command_line::at_the_prompt;
use crate::support::gateway::Gateway;
use crate::support::oob::asked;
use crate::support::wait;

/// The story's second deed: a key is registered.
const TARGET: &[u8] = b"POST /nevisfido/token/dispatch/targets ";
/// The third: a key and a target are.
const DISPATCH: &[u8] = b"POST /nevisfido/token/dispatch/authentication ";

/// A way to a gateway on which one request waits until it may go on.
struct Relay {
    url: String,
    reached: Receiver<()>,
    go_on: Sender<()>,
}

impl Relay {
    fn to(gateway: SocketAddr, held: &'static [u8]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (tell, reached) = mpsc::channel();
        let (go_on, leave) = mpsc::channel();
        let leave = Arc::new(Mutex::new(leave));
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let server = TcpStream::connect(gateway).unwrap();
                let (mut from, mut to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
                thread::spawn(move || {
                    let _ = std::io::copy(&mut from, &mut to);
                    let _ = to.shutdown(Shutdown::Write);
                });
                let (tell, leave) = (tell.clone(), Arc::clone(&leave));
                thread::spawn(move || pass(client, server, held, &tell, &leave));
            }
        });
        Self { url, reached, go_on }
    }
}

fn pass(mut client: TcpStream, mut server: TcpStream, held: &[u8], tell: &Sender<()>, leave: &Mutex<Receiver<()>>) {
    let mut chunk = [0; 65536];
    while let Ok(length @ 1..) = client.read(&mut chunk) {
        if chunk[..length].starts_with(held) {
            tell.send(()).unwrap();
            if leave.lock().unwrap().recv().is_err() {
                return;
            }
        }
        if server.write_all(&chunk[..length]).is_err() {
            return;
        }
    }
    let _ = server.shutdown(Shutdown::Write);
}

/// A demo that was interrupted once at the request that is held, and its lines from then on.
fn interrupted(gateway: &Gateway, relay: &Relay) -> (Child, BufReader<impl Read + use<>>) {
    let line = ["device", "demo", "--user", "jeff", "--password-stdin", "--gateway", &relay.url];
    let mut demo = gateway.spawn(&line, gateway.password("jeff"));
    relay.reached.recv_timeout(wait::BOUND).unwrap();
    interrupt(demo.id());
    let mut lines = BufReader::new(demo.stdout.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("interrupted: ") {
        line.clear();
        assert_ne!(lines.read_line(&mut line).unwrap(), 0, "it ended: {:?}", demo.wait());
    }
    assert!(line.contains("removing"), "nothing is gone yet: {line}");
    (demo, lines)
}

fn interrupt(demo: u32) {
    assert!(Command::new("kill").args(["-INT", &demo.to_string()]).status().unwrap().success());
}

async fn assert_nothing_is_left(gateway: &Gateway) {
    let targets = gateway.internal().get("/nevisfido/token/dispatch/targets?username=jeff").send().await;
    assert_eq!(targets.status, 404, "{}", targets.text());
    assert_eq!(asked(&gateway.internal(), "jeff").await, 1404, "no key of jeff is left");
}

#[tokio::test]
async fn an_interrupted_demo_leaves_nothing() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let relay = Relay::to(gateway.address("public"), DISPATCH);
    let (demo, mut lines) = interrupted(&gateway, &relay);
    relay.go_on.send(()).unwrap();
    let mut told = String::new();
    lines.read_to_string(&mut told).unwrap();
    let output = demo.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{told}{output:?}");
    assert!(told.ends_with("\nnothing of this phone is left\n") && !told.contains("decrypted"), "{told}");
    assert_nothing_is_left(&gateway).await;
}

#[rstest]
#[case(TARGET, true)]
#[case(DISPATCH, false)]
#[tokio::test]
async fn what_a_second_interrupt_leaves_can_be_removed(#[case] held: &'static [u8], #[case] unnamed: bool) {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let relay = Relay::to(gateway.address("public"), held);
    let (demo, _lines) = interrupted(&gateway, &relay);
    interrupt(demo.id());
    let output = demo.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(told.contains("dispatch target \"Demo phone "), unnamed, "{told}");
    let file = told.split(" device delete --state ").nth(1).unwrap().split('`').next().unwrap();
    let removed = gateway.command(&["device", "delete", "--state", file, "--gateway", gateway.public().base()], "");
    assert!(removed.status.success(), "{removed:?}");
    assert_nothing_is_left(&gateway).await;
}

#[tokio::test]
async fn a_demo_that_asked_for_the_password_is_interrupted_alike() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let relay = Relay::to(gateway.address("public"), DISPATCH);
    let folder = tempfile::tempdir().unwrap();
    let demo = format!("device demo --user jeff --password-stdin --gateway {}", relay.url);
    let line = format!(r#"trap : INT; sh -c 'echo $$ > pid; exec "$SIDEGATE" {demo}'; echo "code $?""#);
    let told = at_the_prompt(folder.path(), &line, |keys| {
        writeln!(keys, "{}", gateway.password("jeff")).unwrap();
        relay.reached.recv_timeout(wait::BOUND).unwrap();
        interrupt(std::fs::read_to_string(folder.path().join("pid")).unwrap().trim().parse().unwrap());
        relay.go_on.send(()).unwrap();
    });
    assert!(told.contains("nothing of this phone is left") && told.contains("code 130"), "{told}");
    assert_nothing_is_left(&gateway).await;
}
