//! The built gateway from outside: one binary, a file per capability.
#![cfg(test)]

mod acting_for;
mod administration;
mod architecture;
mod attestation;
mod bounds;
mod channel_binding;
mod command_line;
mod crowded_logins;
mod delegation;
mod device;
mod flood;
mod fronting;
mod gateway;
mod hidden_users;
mod hybrid;
mod independent_jose;
mod jwt;
mod link_dispatcher;
mod login_page;
mod lost_files;
mod media;
mod observability;
mod patch;
mod readme;
mod redeem;
mod reload;
mod restart;
mod route_table;
mod sessions;
mod slow;
mod status;
mod step_up;
mod story;
mod support;
mod upstreams;
