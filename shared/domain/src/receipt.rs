//! How far a member has got: two high-water marks.

use crate::Seq;

/// Everything up to these numbers was delivered to one of the member's devices, or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Marks {
    pub delivered: Seq,
    pub read: Seq,
}

impl Marks {
    /// Read ≤ delivered ≤ `last_seq`; neither goes back, and reading raises both.
    pub fn raised(self, delivered: Option<Seq>, read: Option<Seq>, last_seq: Seq) -> Self {
        let claimed = |mark: Option<Seq>| mark.map_or(Seq::ZERO, |seq| seq.min(last_seq));
        let read = self.read.max(claimed(read));
        let delivered = self.delivered.max(claimed(delivered)).max(read);
        Self { delivered, read }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reading_raises_delivered_and_delivery_never_lowers_read() {
        let marks = Marks { delivered: Seq(3), read: Seq(2) };
        let read = marks.raised(None, Some(Seq(5)), Seq(9));
        assert_eq!(read, Marks { delivered: Seq(5), read: Seq(5) });
        let delivered = marks.raised(Some(Seq(1)), None, Seq(9));
        assert_eq!(delivered, marks);
    }

    #[test]
    fn nobody_has_read_what_is_not_written() {
        let raised = Marks::default().raised(Some(Seq(99)), Some(Seq(70)), Seq(4));
        assert_eq!(raised, Marks { delivered: Seq(4), read: Seq(4) });
    }

    proptest! {
        #[test]
        fn marks_only_rise_and_stay_in_order(
            claims in prop::collection::vec((-5..50_i64, -5..50_i64, 0..40_i64), 0..20)
        ) {
            let (mut marks, mut last) = (Marks::default(), Seq::ZERO);
            for (delivered, read, last_seq) in claims {
                last = last.max(Seq(last_seq));
                let next = marks.raised(Some(Seq(delivered)), Some(Seq(read)), last);
                prop_assert!(next.delivered >= marks.delivered && next.read >= marks.read);
                prop_assert!(next.read <= next.delivered && next.delivered <= last);
                marks = next;
            }
        }
    }
}
