//! The front over real sockets: strict requests, deadlines, early answers, upstreams, the end (`gateway.md` 2, 4, 8).
//! The gateway runs in this process, with routes of its own and short limits; the tables of bytes are tried on the built
//! binary, too.

mod built;
mod clients;
mod crowds;
mod deadlines;
mod early;
mod floods;
mod framing;
mod front;
mod heads;
mod log;
mod origin;
mod plain;
mod raw;
mod slow_upstream;
mod stop;
mod upstream;
