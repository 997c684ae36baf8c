//! The built gateway from outside: one binary, a file per capability.
#![cfg(test)]

mod architecture;
mod gateway;
mod support;
