//! What happened.

/// What a schedule did, for the summary.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) sent: u64,
    pub(crate) delivered: u64,
    pub(crate) repeated: u64,
    pub(crate) spoiled: u64,
    pub(crate) lost: u64,
    pub(crate) sessions: u64,
    pub(crate) restarts: u64,
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.sent += other.sent;
        self.delivered += other.delivered;
        self.repeated += other.repeated;
        self.spoiled += other.spoiled;
        self.lost += other.lost;
        self.sessions += other.sessions;
        self.restarts += other.restarts;
    }
}
