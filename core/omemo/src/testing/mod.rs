//! What the tests share: vectors, randomness that is written down, and devices with a store.

mod device;
mod effort;
pub(crate) mod forge;
#[cfg(target_os = "linux")]
pub(crate) mod memory;
pub(crate) mod points;
mod randomness;
mod vectors;

pub(crate) use device::{Device, NOW, connect};
pub(crate) use effort::{cpu_time, is_long};
pub(crate) use randomness::{Script, seeded};
pub(crate) use vectors::{Vectors, hex, unhex};
