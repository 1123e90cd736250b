use fastrand::Rng;

/// What a client does next in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    Nothing,
    Save,
    Overwrite,
    Update,
    Resave,
    Rotate,
    Destroy,
    Logout,
    List,
    DestroyOwner,
    DestroyOthers,
    Purge,
}

/// Of a hundred or so requests with a session.
const WITH_SESSION: &[(u32, Plan)] = &[
    (20, Plan::Nothing),
    (15, Plan::Save),
    (30, Plan::Update),
    (10, Plan::Overwrite),
    (8, Plan::Rotate),
    (4, Plan::Resave),
    (3, Plan::Destroy),
    (3, Plan::Logout),
    (5, Plan::List),
    (1, Plan::DestroyOthers),
    (1, Plan::DestroyOwner),
    (1, Plan::Purge),
];

const WITHOUT: &[(u32, Plan)] = &[(10, Plan::Save), (4, Plan::Resave), (1, Plan::List)];

/// Those that need not know what is stored.
const UNLOADED: &[(u32, Plan)] = &[(2, Plan::Logout), (1, Plan::Destroy), (2, Plan::Resave)];

impl Plan {
    pub(crate) fn with_session(dice: &mut Rng) -> Self {
        Self::draw(WITH_SESSION, dice)
    }

    pub(crate) fn without(dice: &mut Rng) -> Self {
        Self::draw(WITHOUT, dice)
    }

    pub(crate) fn unloaded(dice: &mut Rng) -> Self {
        Self::draw(UNLOADED, dice)
    }

    fn draw(of: &[(u32, Self)], dice: &mut Rng) -> Self {
        let total = of.iter().map(|(weight, _)| weight).sum();
        let mut left = dice.u32(0..total);
        for (weight, plan) in of {
            if left < *weight {
                return *plan;
            }
            left -= weight;
        }
        Self::Nothing
    }
}
