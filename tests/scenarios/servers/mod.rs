//! The stories that have to be the same on every server.

mod away;
mod both;
mod federation;
mod push_table;
mod pushes;
mod sleep;
mod stage;
