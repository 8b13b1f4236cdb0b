/// SplitMix64 (Steele, Lea, Flood 2014): 64 bits of state, the same numbers on every platform and for ever.
#[derive(Debug, Clone)]
pub struct Rng(u64);

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

pub fn mix(mut value: u64) -> u64 {
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

impl Rng {
    /// An independent sequence for each list of `parts`.
    pub fn new(parts: &[u64]) -> Self {
        Self(parts.iter().fold(GOLDEN, |state, part| mix(state ^ mix(part.wrapping_add(GOLDEN)))))
    }

    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mix(self.0)
    }

    /// Uniform in `0..bound`; 0 for a bound of 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(bound)) >> 64) as u64
    }

    pub fn index(&mut self, len: usize) -> usize {
        self.below(len as u64) as usize
    }

    pub fn range(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low)
    }

    /// True `parts` times in ten thousand.
    pub fn chance(&mut self, parts: u64) -> bool {
        self.below(10_000) < parts
    }

    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.index(items.len())]
    }

    pub fn word(&mut self, words: &[&'static str]) -> &'static str {
        words[self.index(words.len())]
    }

    /// Picks by weight; `total` is the sum of the weights.
    pub fn weighted<'a, T>(&mut self, items: &'a [T], total: u64, weight: impl Fn(&T) -> u64) -> &'a T {
        let mut ticket = self.below(total);
        for item in items {
            let weight = weight(item);
            if ticket < weight {
                return item;
            }
            ticket -= weight;
        }
        &items[0]
    }

    /// Mostly small, sometimes a thousand times as much, as sizes of files and flows are.
    pub fn heavy_tail(&mut self, base: u64) -> u64 {
        let doublings = self.bits().trailing_ones().min(10) + self.below(3) as u32;
        base + self.below(base << doublings)
    }
}
