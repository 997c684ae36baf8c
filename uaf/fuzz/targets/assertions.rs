//! Bytes as the assertion of an answer that is right otherwise.
#![no_main]

#[path = "../../tests/corpus/inputs.rs"]
mod inputs;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    inputs::assertion(bytes);
});
