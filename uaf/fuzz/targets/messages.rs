//! Bytes as every message that a server or a client reads.
#![no_main]

#[path = "../../tests/corpus/inputs.rs"]
mod inputs;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    inputs::message(bytes);
});
