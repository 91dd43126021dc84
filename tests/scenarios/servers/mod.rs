//! The stories that have to be the same on every server.

mod away;
mod both;
mod client;
mod federation;
mod no_push;
mod push_stage;
mod push_table;
mod pushes;
mod reporting;
mod self_test;
mod sleep;
mod stage;
