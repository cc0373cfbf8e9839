"""The sentences of the policy. Each promise names its ids; a sentence whose promise is open is never published.

Names in quotes alone are tables that `document.py` makes from the declarations.
"""

from lineset.privacy.policy.words import Section, fact, say, word

TITLE = word("Privacy policy")

SECTIONS: tuple[Section, ...] = (
    Section(
        "who",
        word("Who we are"),
        (
            fact("This installation of Lineset is run by the operator named here, who answers for the data in it."),
            "contact",
            fact("Write or call about anything in this policy."),
        ),
    ),
    Section(
        "scope",
        word("What this policy covers"),
        (
            say(
                "It covers the pages, the home app, the interfaces for programs, the gateways and the mails of this installation.", "POL_03"
            ),
            say(
                "It does not cover services of other companies, such as a contractor's own records or a maker's app; "
                "they have policies of their own.",
                "POL_03",
            ),
            say(
                "It is put together from the declarations in the program: what is not declared can't be stored, and "
                "what is no longer declared leaves this text.",
                "POL_01",
            ),
        ),
    ),
    Section(
        "collect",
        word("What we collect"),
        (
            fact(
                "These are the categories of personal information that this installation holds or has held in the "
                "last 12 months, and where each comes from."
            ),
            "categories",
            say(
                "Before you sign in, what we hold hangs on a random tag that you can reset. It meets your account "
                "only when you sign in, and we say so.",
                "TAG_01",
            ),
            say(
                "Errors, crashes and network addresses of gateways and apps are kept for the times named below and "
                "seen only by those who need them.",
                "TEL_04",
            ),
            say(
                "What is worked out about you counts as yours: it is shown with its source, you can object to it, and"
                " it is handed over and deleted with the rest.",
                "PRV_06",
            ),
            say("Whatever is linked to you is treated as personal until it can no longer be linked to anybody.", "PRV_07"),
        ),
    ),
    Section(
        "statute",
        word("The same in the words of the law"),
        (
            say(
                "California's law sorts personal information into categories. This table is made from the database's own schema.", "CMP_04"
            ),
            "statutory",
            say(
                "Sensitive personal information is used for nothing but giving the service, securing it and following the law, "
                "so there is no further use to limit.",
                "PRV_03",
            ),
        ),
    ),
    Section(
        "why",
        word("Why we use it"),
        (
            fact("Each use has one of these purposes."),
            "purposes",
            say(
                "Reading or writing data needs one of its declared purposes and somebody who may act for it; the "
                "database refuses everything else.",
                "SEC_04",
            ),
            say("A purpose that needs your yes waits for it. When the purpose or its words change, it waits for a new one.", "PRV_02"),
            say(
                "Location and sensitive information have a switch of their own, off until you turn it on, and as easy to turn off as on.",
                "PRV_03",
            ),
            say(
                "Where your machines and devices are stays unknown until you switch it on for each; switched off, what was kept is erased.",
                "EQP_04",
            ),
            say("Each yes and each no leaves a receipt that nobody can change, with the words that you saw.", "PRV_04"),
            say("Data of several devices is joined only where the purposes allow it.", "PRV_05"),
        ),
    ),
    Section(
        "keep",
        word("How long we keep it"),
        (
            fact("The time counts from what the table names."),
            "retention",
            say("The platform itself deletes what has reached its time, and reports it.", "RET_01"),
            say("Hourly and daily sums of measurements stay longer than single readings, for a time of their own.", "TEL_05"),
            say(
                "If the law or security makes us hold something back from deletion, that has a reason, an end, and "
                "somebody who answers for it.",
                "RET_02",
            ),
        ),
    ),
    Section(
        "share",
        word("Who receives it"),
        (
            say("A contractor sees and does only what your household granted, right by right, and until you take it back.", "ACC_04"),
            say(
                "Our own staff look at a home only by role, for a stated reason and a limited time, and it is written"
                " down so that tampering shows.",
                "SEC_01",
            ),
            say(
                "Companies that work for us stand in a register with the data they get, what for, where, and until "
                "when; nothing goes to them beyond it.",
                "SHR_03",
            ),
            "processors",
            say(
                "Makers, vendors and service providers get only what an agreement names about their machines; each "
                "disclosure is shown to you.",
                "SHR_01",
            ),
            say("Everything else is passed on only if you say yes to that recipient, and taking your yes back reaches them.", "SHR_02"),
            say("Other companies' apps get in only by your leave, for what you allowed, until you end it.", "SHR_04"),
            say(
                "Demands of authorities are checked by two people, answered as narrowly as the law allows, and told "
                "to you unless that is forbidden.",
                "SHR_05",
            ),
            say("Public figures are anonymous totals over groups so large that nobody can be found in them.", "SHR_06"),
            say("If the platform changes hands, you are told before, and every restriction moves with your data.", "SHR_07"),
            "sale",
        ),
    ),
    Section(
        "region",
        word("Where it lives"),
        ("region", say("The region of your account and of each company that works for us is known and shown.", "CMP_05")),
    ),
    Section(
        "rights",
        word("Your rights, and how to use them"),
        (
            say(
                "In one place of your account you see what is held, why, since when and until when, who saw it and who received it.",
                "PRV_01",
            ),
            say(
                "There you download it, and you delete an item, a device, a machine or everything; before the yes it "
                "says what goes, what stays and why.",
                "PRV_01",
                "DEL_01",
            ),
            say("Everything you gave can be seen and corrected in one place, and each change stays in a history that you see.", "ACC_03"),
            say("You see the browsers and apps that use your account, and remove one with all that is known of it.", "EQP_03"),
            say(
                "Deleted means gone everywhere, which a search proves. You see how far it is, and have time to change your mind.", "DEL_02"
            ),
            say("Backups follow: we name the day on which the last readable copy ends.", "DEL_03"),
            say(
                "Requests to know, correct, delete, opt out or limit are also taken from visitors and from an agent whom you authorise.",
                "CMP_01",
            ),
            say("A request is confirmed within 10 business days and answered within 45 days, once extended by 45 with notice.", "CMP_01"),
            say("Using a right never costs you service or money.", "CMP_02"),
            say("If an answer does not satisfy you, you can appeal and complain; we pass a complaint on to the authority.", "CMP_03"),
            say("You can suspend, close and delete your account. Heating, freeze protection and control at the machine go on.", "ACC_07"),
        ),
    ),
    Section(
        "cookies",
        word("Cookies, stores and signals"),
        (
            say("Every cookie and entry of a browser's store is declared; this list is all of them.", "TAG_02"),
            "cookies",
            say(
                "Global Privacy Control and Do Not Track are obeyed and shown. Refusing costs nothing, and No is as easy as Yes.", "TAG_03"
            ),
            say("Mails carry no picture that tells whether you opened them, unless you allowed it.", "TAG_04"),
            say("Server logs hold what they declare, lose the end of the network address after its time, and end at theirs.", "TAG_05"),
            say("Which pages are used is counted by us alone, only where you switched it on, and only as totals.", "USE_01"),
        ),
    ),
    Section(
        "news",
        word("News by e-mail"),
        (say("News needs no account: you confirm by a second step, leave by one click, and your address is then erased.", "ACC_06"),),
    ),
    Section(
        "children",
        word("Children"),
        (
            fact("Accounts are for adults, and we do not ask for data about children."),
            say("If a child has an account, write to the privacy contact, and it is deleted.", "ACC_07"),
            say("No data of anybody under 16 is sold or shared for advertising.", "SHR_08"),
        ),
    ),
    Section(
        "security",
        word("How it is protected"),
        (
            say(
                "Names, addresses, telephone numbers and e-mail addresses are encrypted under a key of your own, kept"
                " apart from the database.",
                "ACC_01",
            ),
            say("Everything that travels is encrypted, and each device has an identity of its own.", "SEC_02"),
            say("Sign-in slows guessing down, lists your sessions and lets you end them.", "ACC_02"),
            say("One household or company never sees another's data, and the database enforces it too.", "SEC_04"),
            say("Access, recipients, retention, keys and the parts we build on are reviewed, with a dated report.", "SEC_03"),
            say("Attacks and abuse are noticed, answered and recorded.", "USE_03"),
        ),
    ),
    Section(
        "changes",
        word("Changes of this policy"),
        (
            say(
                "Each version has a date and an address made of its content; old ones stay in the archive, with what "
                "changed in readable words.",
                "POL_02",
            ),
            say(
                "A change that matters is announced on every page and by e-mail before it takes effect, and what "
                "needs a new yes waits for it.",
                "POL_02",
            ),
        ),
    ),
)
