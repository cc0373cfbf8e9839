"""The demo's homes in Arizona and New Mexico: who lives where, what is fitted, what is wrong."""

from .demo_homes import ALBUQUERQUE, TUCSON, Draft, Town
from .kits import (
    air_conditioner,
    air_handler,
    air_water,
    boiler,
    chiller,
    coil_handler,
    furnace,
    heat_pump,
    pump,
    rooftop,
    thermostat,
    ventilator,
    water_heater,
)
from .spec import Fault, ZoneSpec

SOUTH: tuple[tuple[Draft, Town], ...] = (
    (
        Draft(
            "Figueroa-Reyes",
            ("Luz Figueroa", "Tomas Reyes"),
            "3340 Palo Brea Dr",
            "85718",
            (ZoneSpec("House", "house", 170.0, 20.5, 25.0, 2.0),),
            (
                heat_pump(14000.0, "carport side outdoors", "2017-06-19", stages=2, backup=5000.0),
                air_handler("hall closet", "2017-06-19"),
                water_heater("electric", "garage", "2017-06-19", basement=1.0),
                thermostat("hall", "2023-05-08"),
            ),
            occupancy="family",
            residents=4,
            faults=(Fault("hp1", "outdoor_coil_fouling", 0.65, 30.0, 28.0),),
            sensors="full",
        ),
        TUCSON,
    ),
    (
        Draft(
            "Beckett",
            ("Harold Beckett",),
            "918 Calle Ventisca",
            "85711",
            (ZoneSpec("House", "house", 140.0, 20.0, 25.5, 2.0),),
            (
                furnace(14600.0, "attic", "2013-09-09", stages=1, efficiency=0.8),
                air_conditioner(12300.0, "north wall outdoors", "2013-09-09", serves="furn1"),
                water_heater("gas", "outside closet", "2019-04-25", basement=1.0),
                thermostat("hall", "2021-08-13"),
            ),
            occupancy="home",
            residents=1,
        ),
        TUCSON,
    ),
    (
        Draft(
            "Sandoval",
            ("Carmen Sandoval", "Diego Sandoval"),
            "27 Ironwood Terrace",
            "85750",
            (ZoneSpec("House", "house_new", 155.0, 20.5, 25.0, 1.5),),
            (
                heat_pump(10500.0, "side yard", "2024-06-11", stages=0, backup=4800.0),
                water_heater("heat_pump", "garage", "2024-06-11", basement=1.0),
                thermostat("living room", "2024-06-11"),
            ),
            residents=3,
            faults=(Fault("hp1", "sensor_drifting", 3.2, 12.0, 12.0, "return_air_temperature"),),
        ),
        TUCSON,
    ),
    (
        Draft(
            "Mesquite Plaza",
            ("Andrea Kowalczyk", "Jonas Whitehorse"),
            "1500 Commerce Arroyo Blvd",
            "85705",
            (ZoneSpec("North wing", "office", 420.0, 21.0, 24.0, 3.0), ZoneSpec("South wing", "office", 380.0, 21.0, 24.0, 3.0)),
            (
                chiller(90000.0, "yard behind the building", "2018-03-15"),
                pump("cp1", "ch1", "plant room", "2018-03-15", 750.0),
                coil_handler("ah1", 48000.0, "plant room", "2018-03-15", 0),
                coil_handler("ah2", 44000.0, "south attic", "2018-03-15", 1),
                water_heater("electric", "plant room", "2018-03-15", litres=300.0),
            ),
            occupancy="office",
            site="Mesquite Plaza",
            residents=46,
        ),
        TUCSON,
    ),
    (
        Draft(
            "Pacheco",
            ("Elena Pacheco", "Victor Pacheco"),
            "610 Camino Barrancas",
            "85743",
            (ZoneSpec("House", "adobe", 150.0, 20.0, 25.5, 1.0),),
            (
                heat_pump(10500.0, "patio wall outdoors", "2016-02-02", stages=1, backup=5000.0),
                water_heater("electric", "laundry", "2020-10-20"),
            ),
            occupancy="home",
        ),
        TUCSON,
    ),
    (
        Draft(
            "Thornbury",
            ("Alice Thornbury", "Neil Thornbury"),
            "4419 Piedra Alta Ct",
            "87111",
            (ZoneSpec("House", "house", 175.0, 20.0, 25.0, 2.5),),
            (
                furnace(17600.0, "utility closet", "2021-11-08", stages=2, efficiency=0.96),
                air_conditioner(10500.0, "back yard", "2021-11-08", serves="furn1"),
                water_heater("gas", "utility closet", "2016-07-21"),
                thermostat("hall", "2021-11-08"),
            ),
            residents=3,
        ),
        ALBUQUERQUE,
    ),
    (
        Draft(
            "Yazzie-Cole",
            ("Dorothy Yazzie", "Martin Cole"),
            "208 Tramway Mesa Pl",
            "87122",
            (ZoneSpec("House", "house_new", 160.0, 20.5, 25.0, 1.5),),
            (
                heat_pump(8800.0, "courtyard", "2023-10-17", stages=0, backup=5000.0),
                ventilator("utility room", "2023-10-17", 240.0),
                thermostat("kitchen", "2023-10-17", co2=1.0),
            ),
            occupancy="family",
            residents=4,
            sensors="full",
        ),
        ALBUQUERQUE,
    ),
    (
        Draft(
            "Marchetti",
            ("Gino Marchetti",),
            "1105 Cottonwood Ditch Rd",
            "87107",
            (ZoneSpec("House", "adobe", 145.0, 20.5, 27.0, 1.0, "heating"),),
            (
                boiler(16000.0, "boiler room", "2011-10-04", hottest=60.0),
                water_heater("electric", "boiler room", "2015-12-01"),
            ),
            occupancy="home",
            residents=2,
            sensors="basic",
        ),
        ALBUQUERQUE,
    ),
    (
        Draft(
            "Sandia Foothills Veterinary Clinic",
            ("Nora Villalobos", "Peter Sung"),
            "6001 Embudo Trail",
            "87123",
            (ZoneSpec("Clinic", "office", 260.0, 21.0, 24.0, 2.5),),
            (
                rooftop("rtu1", 24600.0, "2019-08-05", 0, "electricity", heat=18000.0),
                ventilator("ceiling of the ward", "2019-08-05", 600.0),
                water_heater("heat_pump", "laundry", "2022-11-29"),
            ),
            occupancy="office",
            site="Sandia Foothills Veterinary Clinic",
            residents=10,
        ),
        ALBUQUERQUE,
    ),
    (
        Draft(
            "Whitcomb",
            ("Jean Whitcomb", "Ada Whitcomb"),
            "83 Acequia Bend",
            "87114",
            (ZoneSpec("House", "house", 150.0, 20.5, 26.0, 1.0),),
            (
                air_water(10500.0, "north side outdoors", "2021-02-26", hottest=45.0, tank=200.0),
                thermostat("hall", "2021-02-26"),
            ),
            residents=3,
        ),
        ALBUQUERQUE,
    ),
)
