//! The protocol as clients meet it: a server in this process on a free port, over a small engine made for the tests.

mod bad_input;
mod harness;
mod login;
mod queries;
mod streams;
