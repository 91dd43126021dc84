//! What the tests share: vectors, randomness that is written down, and devices with a store.

mod device;
mod randomness;
mod vectors;

pub(crate) use device::{Device, NOW, connect};
pub(crate) use randomness::{Script, seeded};
pub(crate) use vectors::{Vectors, hex, unhex};
