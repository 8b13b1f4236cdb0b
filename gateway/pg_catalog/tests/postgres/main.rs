//! Catalog relations and catalog queries against a real PostgreSQL 15.

mod corpus;
mod evaluate;
mod everything;
mod expressions;
mod fixture;
mod objects;
mod replay;
mod server;
mod tables;
mod views;
