//! The one before takes its time, because of a request that nobody answers.

use std::process::{Child, Command};

use super::fails;
use crate::support::gateway::{Gateway, Setup};
use crate::support::phone::Phone;
use crate::support::upstream::Upstream;
use crate::support::wait;

/// A gateway with a request that is open for as long as it lets it, and a successor would have far less patience.
async fn held() -> (Gateway, Upstream) {
    let upstream = Upstream::start().await;
    upstream.hang_next();
    let row = "  - {name: held, path: /held, methods: [GET], filters: [], upstream: held}\n";
    let behind = format!("  held: {{url: \"http://{}\", read-timeout: 3m}}", upstream.address);
    let sections = format!("limits: {{stop: 3m}}\nupstreams:\n{behind}\nroutes:\n{row}");
    let gateway = Setup::default().user("jeff").append(sections).start().await;
    tokio::spawn(gateway.public().get("/held").try_send());
    let came = async || (!upstream.received().is_empty()).then_some(());
    wait::until("the request is open", wait::BOUND, came).await;
    gateway.reconfigure("stop: 3m", "stop: 1s");
    (gateway, upstream)
}

async fn told(gateway: &Gateway, words: &str) {
    wait::until(words, wait::BOUND, async || gateway.log().contains(words).then_some(())).await;
}

const WAITS: &str = "waiting until the gateway before has ended what is open";

#[tokio::test]
async fn ctrl_c_of_the_one_before_cuts_what_is_open_and_everything_is_handed_over() {
    let (mut gateway, _upstream) = held().await;
    let phone = Phone::enrolled(&gateway, "jeff").await;
    let interrupted = async |before: &Gateway| {
        told(before, "another gateway takes over").await;
        told(before, r#""message":"stopping""#).await;
        before.interrupt();
    };
    assert_eq!(gateway.upgrade_while(interrupted).await, Some(130));
    let path = format!("/nevisfido/token/dispatch/targets/{}", phone.target());
    phone.client().call(http::Method::DELETE, &path).send().await.expect(204);
}

#[tokio::test]
async fn one_before_that_crashes_meanwhile_leaves_a_successor_that_serves() {
    let (mut gateway, _upstream) = held().await;
    let crashed = async |before: &Gateway| {
        told(before, WAITS).await;
        before.crash();
    };
    assert_eq!(gateway.upgrade_while(crashed).await, None);
    told(&gateway, "no sessions and operations were handed over").await;
    Phone::new(&gateway, "jeff").login_password().await;
}

#[tokio::test]
async fn a_successor_that_waits_can_be_stopped() {
    let (mut gateway, _upstream) = held().await;
    let mut successor = gateway.successor();
    told(&gateway, WAITS).await;
    send("-INT", successor.id());
    assert_eq!(ended(&mut successor).await, Some(1));
    told(&gateway, &format!("told to stop while the gateway before (process {}) ends", gateway.id())).await;
    gateway.interrupt();
    assert_eq!(gateway.ended(), Some(130), "it has been given the word");
}

/// Stopped and continued by signals, so that the successor has to wait for it.
#[tokio::test]
async fn a_successor_that_is_stopped_before_its_word_changes_nothing() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let phone = Phone::enrolled(&gateway, "jeff").await;
    for signal in ["-TERM", "-INT"] {
        send("-STOP", gateway.id());
        let mut successor = gateway.successor();
        wait::until("it takes signals", wait::BOUND, async || takes_signals(&successor).then_some(())).await;
        send(signal, successor.id());
        send("-CONT", gateway.id());
        assert_eq!(ended(&mut successor).await, Some(1));
        let said = || gateway.log().matches("told to stop before it took over").count();
        let both = if signal == "-TERM" { 1 } else { 2 };
        wait::until("it says why", wait::BOUND, async || (said() == both).then_some(())).await;
    }
    let path = format!("/nevisfido/token/dispatch/targets/{}", phone.target());
    phone.client().call(http::Method::DELETE, &path).send().await.expect(204);
    assert!(!gateway.log().contains("another gateway takes over"));
}

/// Whether SIGTERM waits in it from now on: SIGINT, which comes after it, is caught.
fn takes_signals(process: &Child) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
    u64::from_str_radix(caught.trim(), 16).unwrap() & (1 << 1) != 0
}

fn send(signal: &str, process: u32) {
    assert!(Command::new("kill").args([signal, &process.to_string()]).status().unwrap().success());
}

async fn ended(process: &mut Child) -> Option<i32> {
    wait::until("its end", wait::BOUND, async || process.try_wait().unwrap()).await.code()
}

#[tokio::test]
async fn one_that_is_just_stopping_says_so() {
    let (mut gateway, _upstream) = held().await;
    gateway.terminate();
    told(&gateway, r#""message":"stopping""#).await;
    fails(&gateway, "hands nothing over, because it is just stopping").await;
    told(&gateway, "this gateway hands nothing over to another one that asks").await;
    assert!(!gateway.log().contains("this gateway goes on"), "it does not");
    gateway.interrupt();
    assert_eq!(gateway.ended(), Some(130));
}
