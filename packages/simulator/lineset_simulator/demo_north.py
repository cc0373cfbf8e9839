"""The demo's homes in Oregon: who lives where, what is fitted, what is wrong."""

from .demo_homes import BEND, PORTLAND, Draft, Town
from .kits import air_conditioner, air_handler, air_water, boiler, furnace, heat_pump, pump, rooftop, thermostat, ventilator, water_heater
from .spec import Fault, Silence, ZoneSpec

NORTH: tuple[tuple[Draft, Town], ...] = (
    (
        Draft(
            "Ortega-Lund",
            ("Marisol Ortega", "Henrik Lund"),
            "14 Lantern Pine Rd",
            "97703",
            (ZoneSpec("House", "house", 165.0, 20.5, 25.0, 2.0),),
            (
                heat_pump(10500.0, "west wall outdoors", "2019-10-12", stages=0, backup=10000.0),
                air_handler("basement", "2019-10-12"),
                water_heater("heat_pump", "basement", "2021-06-03", basement=1.0),
                thermostat("hall", "2019-10-12"),
            ),
            faults=(Fault("hp1", "low_charge", 0.34, 6.0, 4.0),),
            sensors="full",
        ),
        BEND,
    ),
    (
        Draft(
            "Whitfield",
            ("Graham Whitfield", "Lorna Whitfield"),
            "2208 Cinder Butte Dr",
            "97701",
            (ZoneSpec("House", "house", 180.0, 20.0, 25.0, 2.5),),
            (
                furnace(20500.0, "utility closet", "2016-09-20", stages=2, efficiency=0.96),
                air_conditioner(10500.0, "north side outdoors", "2016-09-20", serves="furn1"),
                water_heater("gas", "garage", "2014-03-11", basement=1.0),
                thermostat("living room", "2022-01-15"),
            ),
            occupancy="family",
            residents=4,
        ),
        BEND,
    ),
    (
        Draft(
            "Castellanos",
            ("Rafael Castellanos", "Ines Castellanos"),
            "61 Obsidian Loop",
            "97702",
            (ZoneSpec("Ground floor", "house_new", 95.0, 21.0, 26.0, 1.0), ZoneSpec("Upper floor", "house_new", 85.0, 20.0, 26.0, 1.5)),
            (
                air_water(9500.0, "garden side outdoors", "2023-08-29", hottest=42.0, tank=250.0, backup=3000.0),
                pump("cp1", "hp1", "technical room", "2023-08-29"),
                ventilator("technical room", "2023-08-29", 260.0),
            ),
            occupancy="family",
            residents=4,
            sensors="full",
        ),
        BEND,
    ),
    (
        Draft(
            "Nakagawa",
            ("Emi Nakagawa",),
            "933 Riverrock Ave",
            "97701",
            (ZoneSpec("House", "house", 130.0, 20.5, 25.0, 2.0),),
            (
                heat_pump(8800.0, "driveway side outdoors", "2015-05-18", stages=1, backup=9600.0),
                water_heater("electric", "laundry", "2015-05-18"),
                thermostat("hall", "2020-11-02"),
            ),
            residents=2,
            faults=(Fault("hp1", "auxiliary_heat_locked_in", 0.5, 9.0),),
        ),
        BEND,
    ),
    (
        Draft(
            "Brandt",
            ("Walter Brandt", "Ilse Brandt"),
            "77 Mill Quarter St",
            "97703",
            (ZoneSpec("House", "house_old", 120.0, 21.0, 26.0, 1.0, "heating"),),
            (
                furnace(19000.0, "crawl space", "2003-10-30", stages=1, efficiency=0.8),
                water_heater("electric", "kitchen closet", "2014-08-07"),
                thermostat("dining room", "2018-02-20"),
            ),
            occupancy="home",
            faults=(Fault("wh1", "element_failed", 1.0, 2.6, 0.0, "upper_element_state"),),
        ),
        BEND,
    ),
    (
        Draft(
            "Okafor",
            ("Chidi Okafor", "Amara Okafor"),
            "405 Wickiup Ct",
            "97702",
            (ZoneSpec("House", "house", 150.0, 20.0, 25.0, 2.0),),
            (
                heat_pump(10500.0, "north wall outdoors", "2018-04-09", stages=2, backup=7500.0),
                air_handler("attic", "2018-04-09"),
                water_heater("heat_pump", "garage", "2024-03-19", basement=1.0),
                thermostat("hall", "2018-04-09"),
            ),
            occupancy="family",
            residents=3,
            faults=(Fault("hp1", "defrost_stuck", 0.85, 5.0),),
        ),
        BEND,
    ),
    (
        Draft(
            "Juniper Dental",
            ("Claire Aldous", "Sam Petrakis"),
            "501 Kestrel St, Suite 3",
            "97701",
            (
                ZoneSpec("Treatment rooms", "office", 210.0, 21.5, 24.0, 3.0),
                ZoneSpec("Reception", "office", 120.0, 21.0, 24.5, 3.0),
            ),
            (
                rooftop("rtu1", 21000.0, "2017-07-12", 0, heat=32000.0),
                rooftop("rtu2", 14000.0, "2017-07-12", 1, heat=21000.0),
                air_conditioner(7000.0, "rear wall outdoors", "2020-06-30", zone=1, own_control=1.0),
                water_heater("electric", "storage", "2017-07-12", zone=1),
            ),
            occupancy="office",
            site="Juniper Dental",
            residents=11,
            faults=(Fault("ac1", "simultaneous_heating_cooling", 0.9, 4.0),),
        ),
        BEND,
    ),
    (
        Draft(
            "Delgado-Pruitt",
            ("Noa Delgado", "Kit Pruitt"),
            "1620 Foundry Way, Apt 412",
            "97209",
            (ZoneSpec("Flat", "flat", 78.0, 20.5, 25.0, 1.5),),
            (
                heat_pump(5300.0, "balcony", "2022-05-04", stages=0),
                water_heater("heat_pump", "bathroom closet", "2022-05-04", litres=190.0),
            ),
        ),
        PORTLAND,
    ),
    (
        Draft(
            "Hargreaves",
            ("Edmund Hargreaves", "Joan Hargreaves"),
            "38 Linnet Hill Rd",
            "97214",
            (ZoneSpec("House", "house_old", 170.0, 20.5, 27.0, 2.0, "heating"),),
            (
                boiler(24000.0, "basement", "2020-10-06", tank=160.0, hottest=62.0, pump=0.0),
                pump("cp1", "boil1", "basement", "2020-10-06"),
            ),
            occupancy="home",
        ),
        PORTLAND,
    ),
    (
        Draft(
            "Lindqvist",
            ("Astrid Lindqvist", "Per Lindqvist"),
            "2914 Tannery Ln",
            "97202",
            (ZoneSpec("House", "house", 140.0, 20.5, 27.0, 2.0, "heating"),),
            (boiler(18000.0, "utility room", "2017-01-24", tank=120.0, hottest=55.0),),
            occupancy="family",
            residents=4,
        ),
        PORTLAND,
    ),
    (
        Draft(
            "Tran",
            ("Minh Tran", "Huong Tran"),
            "8150 Camas Bend Dr",
            "97220",
            (ZoneSpec("House", "house", 190.0, 20.0, 25.0, 2.0),),
            (
                furnace(17600.0, "garage", "2019-12-03", stages=2, efficiency=0.95),
                air_conditioner(8800.0, "east side outdoors", "2019-12-03", serves="furn1"),
                water_heater("heat_pump", "garage", "2023-02-14", basement=1.0),
                thermostat("stairs", "2019-12-03"),
            ),
            occupancy="family",
            residents=5,
        ),
        PORTLAND,
    ),
    (
        Draft(
            "Abernathy",
            ("Ruth Abernathy",),
            "12 Heronsgate",
            "97229",
            (
                ZoneSpec("Living floor", "house_new", 90.0, 20.5, 26.0, 1.0),
                ZoneSpec("Bedrooms", "house_new", 70.0, 18.5, 26.0, 1.0),
                ZoneSpec("Studio", "house_new", 35.0, 19.5, 26.0, 2.0),
            ),
            (
                air_water(7000.0, "rear garden", "2022-09-01", hottest=38.0, tank=200.0, buffer=60.0),
                ventilator("attic", "2022-09-01", 220.0),
                thermostat("living room", "2022-09-01"),
            ),
            occupancy="home",
            residents=2,
        ),
        PORTLAND,
    ),
    (
        Draft(
            "Moreau",
            ("Sylvie Moreau",),
            "730 Slipway Ave, Apt 9",
            "97217",
            (ZoneSpec("Flat", "flat", 62.0, 20.0, 25.5, 1.5),),
            (
                heat_pump(4200.0, "roof terrace", "2021-03-22", stages=0),
                water_heater("electric", "kitchen", "2021-03-22", litres=150.0),
            ),
            residents=1,
            silence=(Silence(1.3, 4.2, 3, 1), Silence(14.0, 1.1, 4, 2)),
        ),
        PORTLAND,
    ),
    (
        Draft(
            "Steelhead Books and Coffee",
            ("Marguerite Oyler", "Ben Achterberg"),
            "244 Wharf Market Sq",
            "97205",
            (ZoneSpec("Shop", "shop", 190.0, 20.5, 24.0, 3.0),),
            (
                rooftop("rtu1", 17500.0, "2014-05-27", 0, heat=27000.0, fresh=0.2),
                water_heater("gas", "back room", "2018-10-10"),
            ),
            occupancy="shop",
            site="Steelhead Books and Coffee",
            residents=14,
        ),
        PORTLAND,
    ),
    (
        Draft(
            "Van Houten",
            ("Pieter van Houten", "Alma van Houten"),
            "5 Clover Ferry Rd",
            "97236",
            (ZoneSpec("House", "house", 135.0, 20.0, 25.0, 2.0),),
            (
                heat_pump(8800.0, "patio side outdoors", "2012-11-16", stages=1, backup=7500.0),
                water_heater("electric", "garage", "2012-11-16", basement=1.0),
            ),
            occupancy="home",
            sensors="basic",
        ),
        PORTLAND,
    ),
)
