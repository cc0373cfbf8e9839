"""The sentences of the terms of service. As in the policy, a sentence is published only while what it promises is kept."""

from lineset.privacy.policy.words import Section, fact, say, word

TITLE = word("Terms of service")

SECTIONS: tuple[Section, ...] = (
    Section(
        "who",
        word("Between whom"),
        (
            fact(
                "These terms hold between you and the operator of this installation of Lineset. Lineset itself is "
                "free software under the Apache License 2.0."
            ),
            "contact",
        ),
    ),
    Section(
        "service",
        word("What you get"),
        (
            say("You watch and control your heating, cooling and hot-water equipment from afar.", "PLT_01"),
            say(
                "They cover the pages, the home app, the interfaces, the gateways and the mails of this installation,"
                " and not the services of other companies.",
                "POL_03",
            ),
            fact(
                "The platform is an aid. It replaces neither maintenance nor the safety devices of your machines, nor"
                " a smoke or carbon monoxide alarm."
            ),
            say(
                "Limits of the machine and of your household hold in the cloud and again at the gateway; a command "
                "outside them is refused with the reason.",
                "CTL_03",
            ),
        ),
    ),
    Section(
        "you",
        word("What we ask of you"),
        (
            fact(
                "Connect only machines that you own or may operate. Keep your password to yourself, and tell us when "
                "somebody else may know it."
            ),
            fact("Do not try to reach data of others, to overload the platform, or to use it against the law."),
            fact("Tell the people of your household and your guests that machines are watched."),
        ),
    ),
    Section(
        "data",
        word("Your data"),
        (
            fact(
                "Your data stays yours. How it is handled stands in the privacy policy, which is no part of these "
                "terms and needs no agreement."
            ),
            say("Accepting these terms is never a yes to a purpose that waits for one; each of those has a switch of its own.", "PRV_03"),
            say("A contractor sees and does only what your household granted.", "ACC_04"),
        ),
    ),
    Section(
        "end",
        word("How it ends"),
        (
            say("You can close your account at any time; the machines go on by themselves.", "ACC_07"),
            say(
                "If we must suspend an account, sign-in and remote changes stop, nothing is lost, and heating and freeze protection go on.",
                "ACC_07",
            ),
        ),
    ),
    Section(
        "changes",
        word("Changes of these terms"),
        (
            say("You accept a version of these terms, and the receipt with its date is kept in your account.", "POL_03"),
            say("A new version is shown with what changed; it holds for you once you have accepted it.", "POL_03"),
        ),
    ),
    Section(
        "law",
        word("Law"),
        (
            fact(
                "The law of the place where the operator is established applies, and no right that the law gives you "
                "as a consumer is taken away."
            ),
        ),
    ),
)
