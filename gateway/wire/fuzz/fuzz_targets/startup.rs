#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| mantissa_wire::fuzzing::fuzz_startup(bytes));
