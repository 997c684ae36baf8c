use proptest::prelude::*;
use rstest::rstest;

use super::*;

fn scan(head: &[u8]) -> Result<Option<usize>, HeadFault> {
    HeadScan::default().advance(head, &Limits::default()).map(|head| head.map(|head| head.length))
}

#[rstest]
#[case("GET / HTTP/1.1\r\nHost: a\r\n\r\n")]
#[case("GET /a?b=c%20d HTTP/1.1\r\nHost: a.example:8080\r\n\r\n")]
#[case("GET http://a/b HTTP/1.1\r\nHost: a\r\n\r\n")]
#[case("GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n")]
#[case("GET / HTTP/1.0\r\n\r\n")]
#[case("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")]
#[case("POST / HTTP/1.1\r\nhOST:a\r\nTransfer-Encoding: Chunked\r\n\r\n")]
#[case("GET / HTTP/1.1\r\nHost: a\r\nX-Empty:\r\nX-Tab: a\tb\r\nX-High: \u{e4}\r\n\r\n")]
fn good_heads_pass(#[case] head: &str) {
    assert_eq!(scan(head.as_bytes()), Ok(Some(head.len())));
    let with_body = format!("{head}rest\n\n");
    assert_eq!(scan(with_body.as_bytes()), Ok(Some(head.len())), "the body is not looked at");
}

#[rstest]
#[case::leading_line("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", HeadFault::LineEnd)]
#[case::leading_feed("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", HeadFault::LineEnd)]
#[case::bare_feed_in_line("GET / HTTP/1.1\nHost: a\r\n\r\n", HeadFault::LineEnd)]
#[case::bare_feed_in_fields("GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", HeadFault::LineEnd)]
#[case::bare_feeds_at_end("GET / HTTP/1.1\r\nHost: a\r\n\n", HeadFault::LineEnd)]
#[case::bare_return_in_line("GET /\r HTTP/1.1\r\nHost: a\r\n\r\n", HeadFault::RequestLine)]
#[case::bare_return_in_value("GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n", HeadFault::Field)]
#[case::space_in_target("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", HeadFault::RequestLine)]
#[case::two_spaces("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", HeadFault::RequestLine)]
#[case::space_at_end("GET / HTTP/1.1 \r\nHost: a\r\n\r\n", HeadFault::RequestLine)]
#[case::space_at_start(" GET / HTTP/1.1\r\nHost: a\r\n\r\n", HeadFault::RequestLine)]
#[case::tab("GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", HeadFault::RequestLine)]
#[case::nul("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", HeadFault::RequestLine)]
#[case::del("GET /\x7f HTTP/1.1\r\nHost: a\r\n\r\n", HeadFault::RequestLine)]
#[case::not_ascii("GET /\u{e4} HTTP/1.1\r\nHost: a\r\n\r\n", HeadFault::RequestLine)]
#[case::fragment("GET /#a HTTP/1.1\r\nHost: a\r\n\r\n", HeadFault::RequestLine)]
#[case::other_host("GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", HeadFault::Host)]
#[case::other_case("GET HTTP://A/open/x HTTP/1.1\r\nHost: a\r\n\r\n", HeadFault::Host)]
#[case::other_scheme("GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", HeadFault::Target)]
#[case::no_form("GET open/x HTTP/1.1\r\nHost: a\r\n\r\n", HeadFault::Target)]
#[case::backtick("GET /` HTTP/1.1\r\nHost: a\r\n\r\n", HeadFault::Target)]
#[case::no_authority("GET http:/// HTTP/1.1\r\nHost: a\r\n\r\n", HeadFault::Target)]
#[case::half_an_address("GET http://[::1/open HTTP/1.1\r\nHost: a\r\n\r\n", HeadFault::Target)]
#[case::bad_method("G@T / HTTP/1.1\r\nHost: a\r\n\r\n", HeadFault::RequestLine)]
#[case::old("GET /\r\nHost: a\r\n\r\n", HeadFault::RequestLine)]
#[case::version_12("GET / HTTP/1.2\r\nHost: a\r\n\r\n", HeadFault::Version)]
#[case::version_2("GET / HTTP/2.0\r\nHost: a\r\n\r\n", HeadFault::Version)]
#[case::version_case("GET / http/1.1\r\nHost: a\r\n\r\n", HeadFault::Version)]
#[case::trace("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", HeadFault::Method)]
#[case::connect("CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", HeadFault::Method)]
#[case::no_host("GET / HTTP/1.1\r\n\r\n", HeadFault::Host)]
#[case::empty_host("GET / HTTP/1.1\r\nHost:\r\n\r\n", HeadFault::Host)]
#[case::two_hosts("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", HeadFault::Host)]
#[case::two_hosts_on_10("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", HeadFault::Host)]
#[case::host_list("GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", HeadFault::Host)]
#[case::host_userinfo("GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", HeadFault::Host)]
#[case::host_path("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", HeadFault::Host)]
#[case::host_port("GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", HeadFault::Host)]
#[case::host_no_port("GET / HTTP/1.1\r\nHost: a:\r\n\r\n", HeadFault::Host)]
#[case::host_large_port("GET / HTTP/1.1\r\nHost: a:99999\r\n\r\n", HeadFault::Host)]
#[case::folded("GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n", HeadFault::Field)]
#[case::folded_colon("GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b: c\r\n\r\n", HeadFault::Field)]
#[case::space_before_colon("GET / HTTP/1.1\r\nHost: a\r\nX : a\r\n\r\n", HeadFault::Field)]
#[case::no_colon("GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n", HeadFault::Field)]
#[case::no_name("GET / HTTP/1.1\r\nHost: a\r\n: a\r\n\r\n", HeadFault::Field)]
#[case::return_at_end_of_value("GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", HeadFault::Field)]
#[case::form_feed_before_value("GET / HTTP/1.1\r\nHost: a\r\nX:\x0ca\r\n\r\n", HeadFault::Field)]
#[case::form_feed_behind_length("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\x0c\r\n\r\n", HeadFault::Field)]
#[case::nul_in_value("GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n", HeadFault::Field)]
#[case::del_in_value("GET / HTTP/1.1\r\nHost: a\r\nX: a\x7fb\r\n\r\n", HeadFault::Field)]
#[case::both(
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
    HeadFault::Framing
)]
#[case::two_lengths("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n", HeadFault::Framing)]
#[case::length_list("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\n\r\n", HeadFault::Framing)]
#[case::length_plus("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\n", HeadFault::Framing)]
#[case::length_zeros("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 005\r\n\r\n", HeadFault::Framing)]
#[case::length_two_zeros("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 00\r\n\r\n", HeadFault::Framing)]
#[case::length_empty("POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", HeadFault::Framing)]
#[case::length_huge("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n", HeadFault::Framing)]
#[case::two_codings(
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
    HeadFault::Framing
)]
#[case::coding_list("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", HeadFault::Coding)]
#[case::coding_other("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n", HeadFault::Coding)]
#[case::coding_tab("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0bchunked\r\n\r\n", HeadFault::Field)]
#[case::coding_on_10("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", HeadFault::Coding)]
fn bad_heads_are_named(#[case] head: &str, #[case] fault: HeadFault) {
    assert_eq!(scan(head.as_bytes()), Err(fault));
}

#[test]
fn a_hundred_fields_pass_and_one_more_does_not() {
    let head = |count: usize| format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(count - 1));
    assert!(scan(head(100).as_bytes()).is_ok());
    assert_eq!(scan(head(101).as_bytes()), Err(HeadFault::TooMany));
}

#[test]
fn a_head_of_the_limit_passes_and_one_byte_more_does_not() {
    let frame = "GET / HTTP/1.1\r\nHost: a\r\nX: \r\n\r\n".len();
    let head = |length: usize| format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "y".repeat(length - frame));
    assert!(scan(head(32 * 1024).as_bytes()).is_ok());
    assert_eq!(scan(head(32 * 1024 + 1).as_bytes()), Err(HeadFault::TooLong));
    assert_eq!(scan("GET /".repeat(7000).as_bytes()), Err(HeadFault::TooLong), "also when no end is in sight");
}

#[test]
fn faults_have_the_status_that_helps() {
    assert_eq!(HeadFault::Slow.status(), 408);
    assert_eq!(HeadFault::TooMany.status(), 431);
    assert_eq!(HeadFault::Method.status(), 405);
    assert_eq!(HeadFault::Host.status(), 400);
}

proptest! {
    /// However a head is cut into reads, the outcome is that of one read.
    #[test]
    fn cuts_do_not_matter(
        head in "(GET|G T|\r\n) /[a-z \n]{0,3} HTTP/1\\.[012]\r\n(Host: a\r\n|X : b\r\n|c\n){0,3}\r\n",
        step in 1_usize..9,
    ) {
        let whole = scan(head.as_bytes());
        let mut scan = HeadScan::default();
        let mut end = 0;
        let pieces = loop {
            end = (end + step).min(head.len());
            match scan.advance(&head.as_bytes()[..end], &Limits::default()) {
                Ok(None) if end < head.len() => {}
                outcome => break outcome,
            }
        };
        prop_assert_eq!(pieces.map(|head| head.map(|head| head.length)), whole);
    }

    #[test]
    fn nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = scan(&bytes);
    }
}
