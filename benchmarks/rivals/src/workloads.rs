//! The numbers of `benchmarks/workloads.py`.

pub const BASE: u64 = 1 << 32;
pub const SPACE: u64 = 1 << 47;
pub const PAGE: u64 = 0x1000;
pub const CHURN_SIZES: [u64; 4] = [0x1000, 0x4000, 0x10000, 0x200000];

/// Steele, Lea and Flood's generator of 64-bit numbers.
pub struct SplitMix64(pub u64);

impl SplitMix64 {
    pub fn draw(&mut self, count: usize) -> Vec<u64> {
        (0..count)
            .map(|_| {
                self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
                let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
                let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
                mixed ^ (mixed >> 31)
            })
            .collect()
    }
}
