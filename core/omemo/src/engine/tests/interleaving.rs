//! Two devices, any schedule: sends, losses of order, duplicates, restarts, new sessions.

use proptest::prelude::*;

use crate::testing::{Device, connect};
use crate::{Action, EncryptedMessage, Outcome, Version};

#[derive(Clone, Copy, Debug)]
enum Step {
    /// One of the two sends.
    Send { alice: bool },
    /// A message under way arrives.
    Deliver { which: usize },
    /// A message that arrived before arrives once more.
    Repeat { which: usize },
    /// One of the two starts anew from its store.
    Restart { alice: bool },
    /// One of the two makes a new session, by the hand of its user.
    Replace { alice: bool },
    /// One of the two does what its engine asked for.
    Act { alice: bool },
}

fn steps(replace: u32) -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => any::<bool>().prop_map(|alice| Step::Send { alice }),
        6 => any::<usize>().prop_map(|which| Step::Deliver { which }),
        1 => any::<usize>().prop_map(|which| Step::Repeat { which }),
        1 => any::<bool>().prop_map(|alice| Step::Restart { alice }),
        1 => any::<bool>().prop_map(|alice| Step::Act { alice }),
        replace => any::<bool>().prop_map(|alice| Step::Replace { alice }),
    ];
    proptest::collection::vec(step, 1..60)
}

struct World {
    version: Version,
    alice: Device,
    bob: Device,
    /// Sent and not yet arrived, with the content and the direction.
    under_way: Vec<(EncryptedMessage, Option<String>, bool)>,
    arrived: Vec<(EncryptedMessage, bool)>,
    sent: u32,
}

impl World {
    fn new(version: Version) -> Self {
        let (alice, bob) = connect(version);
        Self {
            version,
            alice,
            bob,
            under_way: Vec::new(),
            arrived: Vec::new(),
            sent: 0,
        }
    }

    fn pair(&mut self, alice: bool) -> (&mut Device, &mut Device) {
        if alice {
            (&mut self.alice, &mut self.bob)
        } else {
            (&mut self.bob, &mut self.alice)
        }
    }

    fn has_session(&mut self, alice: bool) -> bool {
        let version = self.version;
        let (from, to) = self.pair(alice);
        from.run(|records| crate::has_session(records, &to.address, version))
            .unwrap()
    }

    fn send(&mut self, alice: bool) {
        if !self.has_session(alice) {
            return;
        }
        let (version, text) = (self.version, self.sent.to_string());
        self.sent += 1;
        let (from, to) = self.pair(alice);
        let message = from.send(&to.address, version, &text);
        self.under_way.push((message, Some(text), alice));
    }

    fn act(&mut self, alice: bool) {
        let (from, to) = self.pair(alice);
        let mut empties = Vec::new();
        for action in core::mem::take(&mut from.actions) {
            if let Action::SendEmpty { to, version, .. } = action {
                empties.push(from.send_empty(&to, version));
            }
            assert!(from.address != to.address);
        }
        self.under_way
            .extend(empties.into_iter().map(|message| (message, None, alice)));
    }

    fn deliver(&mut self, which: usize) {
        if self.under_way.is_empty() {
            return;
        }
        let (message, text, alice) = self.under_way.swap_remove(which % self.under_way.len());
        let (_, to) = self.pair(alice);
        match (to.receive(&message), text) {
            (Outcome::Decrypted { plaintext, .. }, Some(text)) => {
                assert_eq!(plaintext.as_bytes(), text.as_bytes());
            }
            (Outcome::Empty { .. }, None) => {}
            (other, text) => panic!("{other:?} for {text:?}"),
        }
        self.arrived.push((message, alice));
    }

    fn repeat(&mut self, which: usize) {
        if self.arrived.is_empty() {
            return;
        }
        let (message, alice) = self.arrived[which % self.arrived.len()].clone();
        let (_, to) = self.pair(alice);
        let before = to.snapshot();
        assert_eq!(to.receive(&message), Outcome::Duplicate);
        assert_eq!(to.snapshot(), before);
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Send { alice } => self.send(alice),
            Step::Deliver { which } => self.deliver(which),
            Step::Repeat { which } => self.repeat(which),
            Step::Restart { alice } => self.pair(alice).0.restart(),
            Step::Act { alice } => self.act(alice),
            Step::Replace { alice } => {
                let version = self.version;
                let (from, to) = self.pair(alice);
                let bundle = to.bundle(version);
                from.initiate(&bundle).unwrap();
            }
        }
    }

    /// Everything that was sent can be read in the end.
    fn finish(&mut self) {
        while !self.under_way.is_empty() {
            self.deliver(0);
        }
        // And the conversation goes on.
        for alice in [true, false, true] {
            self.send(alice);
            while !self.under_way.is_empty() {
                self.deliver(0);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn every_message_is_read_exactly_once_whatever_the_schedule(steps in steps(0)) {
        for version in Version::ALL {
            let mut world = World::new(version);
            for step in &steps {
                world.step(*step);
            }
            world.finish();
        }
    }
}

/// With sessions replaced at will, a message may belong to a session that fell out of the archive. Within its
/// size nothing is lost.
#[derive(Clone, Debug)]
struct FewReplacements(Vec<Step>);

fn few_replacements() -> impl Strategy<Value = FewReplacements> {
    steps(1).prop_map(|steps| {
        let mut left = crate::limits::OLD_CHAINS / 2;
        FewReplacements(
            steps
                .into_iter()
                .filter(|step| {
                    let replaces = matches!(step, Step::Replace { .. });
                    if replaces && left == 0 {
                        return false;
                    }
                    left -= usize::from(replaces);
                    true
                })
                .collect(),
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn replaced_sessions_lose_no_message(steps in few_replacements()) {
        for version in Version::ALL {
            let mut world = World::new(version);
            for step in &steps.0 {
                world.step(*step);
            }
            world.finish();
        }
    }
}
