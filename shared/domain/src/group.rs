//! Who may do what in a group, and what a group is never without.

use crate::{ConversationType, Role, UserId};

/// Something that changes a conversation or who is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupAction {
    /// Title, description, picture, what new members see.
    Edit,
    Add,
    /// Making, listing and revoking invites.
    Invite,
    /// Of somebody with this role.
    Remove(Role),
    /// Somebody of the one role gets the other.
    ChangeRole(Role, Role),
    Leave,
    Delete,
}

/// Why it is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupRefusal {
    /// Not with this role, or not in a direct conversation.
    NotAllowed,
    /// The group would have no owner any more.
    LastOwner,
}

impl GroupAction {
    /// Members leave; admins also edit, add, invite and remove members; owners do everything.
    /// Nobody is added to, removed from, or leaves a direct conversation.
    pub fn check(
        self,
        role: Role,
        conversation_type: ConversationType,
    ) -> Result<(), GroupRefusal> {
        let is_allowed = conversation_type == ConversationType::Group
            && match (role, self) {
                (Role::Owner, _) | (_, Self::Leave) => true,
                (Role::Admin, Self::Edit | Self::Add | Self::Invite) => true,
                (Role::Admin, Self::Remove(other)) => other == Role::Member,
                (Role::Admin, Self::ChangeRole(..) | Self::Delete) | (Role::Member, _) => false,
            };
        if is_allowed { Ok(()) } else { Err(GroupRefusal::NotAllowed) }
    }
}

/// The roles after somebody's changed, or after they are gone (`None`): an owner is left.
pub fn keeps_an_owner(
    roles: impl IntoIterator<Item = (UserId, Role)>,
    who: UserId,
    becomes: Option<Role>,
) -> Result<(), GroupRefusal> {
    let after = |(id, role)| if id == who { becomes } else { Some(role) };
    if roles.into_iter().filter_map(after).any(|role| role == Role::Owner) {
        return Ok(());
    }
    Err(GroupRefusal::LastOwner)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    /// Every role × action.
    #[test]
    fn each_role_may_do_what_the_table_says() {
        use GroupAction::{Add, ChangeRole, Delete, Edit, Invite, Leave, Remove};
        use Role::{Admin, Member, Owner};
        let table: &[(GroupAction, [bool; 3])] = &[
            // action, [owner, admin, member]
            (Edit, [true, true, false]),
            (Add, [true, true, false]),
            (Invite, [true, true, false]),
            (Remove(Member), [true, true, false]),
            (Remove(Admin), [true, false, false]),
            (Remove(Owner), [true, false, false]),
            (ChangeRole(Member, Admin), [true, false, false]),
            (ChangeRole(Admin, Member), [true, false, false]),
            (ChangeRole(Member, Owner), [true, false, false]),
            (ChangeRole(Owner, Member), [true, false, false]),
            (Leave, [true, true, true]),
            (Delete, [true, false, false]),
        ];
        for (action, allowed) in table {
            for (role, is_allowed) in [Owner, Admin, Member].into_iter().zip(allowed) {
                let answer = action.check(role, ConversationType::Group);
                assert_eq!(answer.is_ok(), *is_allowed, "{role:?} {action:?}");
                let direct = action.check(role, ConversationType::Direct);
                assert_eq!(direct, Err(GroupRefusal::NotAllowed), "direct {role:?} {action:?}");
            }
        }
    }

    #[test]
    fn the_last_owner_cannot_go_and_cannot_step_down() {
        let [ada, bob] = [1, 2].map(|id| UserId(Uuid::from_u128(id)));
        let one = [(ada, Role::Owner), (bob, Role::Admin)];
        assert_eq!(keeps_an_owner(one, ada, None), Err(GroupRefusal::LastOwner));
        assert_eq!(keeps_an_owner(one, ada, Some(Role::Member)), Err(GroupRefusal::LastOwner));
        assert_eq!(keeps_an_owner(one, bob, None), Ok(()));
        let two = [(ada, Role::Owner), (bob, Role::Owner)];
        assert_eq!(keeps_an_owner(two, ada, None), Ok(()));
    }
}
