# SPDX-License-Identifier: MIT
"""What every driver must have and must do; new ones are found by themselves."""

from driver_bench import Board, drivers_on_disk, example, source, with_channels

from kahriz_node import config, records, sensors
from kahriz_node.sensors import SensorError
from kahriz_wire import fields

AND_WHAT_THEY_ARE_COPIED_FROM = sensors.SENSORS + ("_template",)  # noqa: RUF005  no * on the chip


def outcome(name, board):
    """What a driver of that name gives on a board: values, or its fault as a text."""
    spec = example(name)
    try:
        return sensors.module(name).start(board, spec).read(300000)
    except SensorError as error:
        return error.fault


def limit_ms(name):
    return sensors.module(name).LIMIT_MS + example(name).get("warm_up_ms", 0)


def test_the_index_holds_every_driver_file_under_its_name():
    assert sorted(sensors.SENSORS) == drivers_on_disk()
    for name in sensors.SENSORS:
        assert sensors.module(name).__name__ == "kahriz_node.sensors." + name


def test_a_driver_declares_quantities_ranges_and_pins():
    for name in sensors.SENSORS:
        module = sensors.module(name)
        assert module.KEYS, name
        assert all(key in fields.FIELDS for key in module.KEYS), name
        for table in (module.NEEDS, module.MAY):
            assert all(low <= high for low, high in table.values()), name
        for pin in module.PINS:
            assert pin in module.NEEDS or pin in module.MAY, (name, pin)
        assert all(pin in module.PINS for pin in getattr(module, "BUS", ())), name


def test_an_ultrasonic_driver_declares_whose_speed_of_sound_is_in_its_number():
    for name in sensors.SENSORS:
        module = sensors.module(name)
        if "distance_m" in module.KEYS:
            assert module.SOUND_SPEED in ("raw", "fixed", "compensated"), name
        else:
            assert not hasattr(module, "SOUND_SPEED"), name


def test_the_example_of_a_driver_is_taken_by_the_config_check():
    for name in sensors.SENSORS:
        assert example(name)["driver"] == name
        taken = config.parse(with_channels(one=example(name)))
        assert taken.channels[0][1]["driver"] == name


def test_the_example_names_all_that_the_driver_needs():
    for name in sensors.SENSORS:
        for key in sensors.module(name).NEEDS:
            body = example(name)
            del body[key]
            try:
                config.parse(with_channels(one=body))
                said = "taken"
            except config.ConfigError as error:
                said = str(error)
            assert "config.channels.one." + key + ": is missing" == said, (name, said)


def test_a_driver_says_how_it_is_wired_and_where_its_facts_are_from():
    for name in sensors.SENSORS:
        text = source(name)
        for word in ("\nWiring: ", "\nSource: ", "\nconfig.json: "):
            assert word in text.split('"""')[1], (name, word)
        assert len(text.split("\n")) <= 120, name


def test_a_dead_sensor_is_a_fault_by_name_in_a_bounded_time():
    for name in AND_WHAT_THEY_ARE_COPIED_FROM:
        board = Board()
        found = outcome(name, board)
        # a voltage of 0 is what a panel has at night; a battery says its "least_mv"
        assert found in fields.FAULTS or (name, found) == ("volts", {"v": 0}), (name, found)
        assert board.spent_ms() <= limit_ms(name), (name, board.spent_ms())


def test_a_mad_sensor_costs_its_own_value_and_no_more_time():
    for name in AND_WHAT_THEY_ARE_COPIED_FROM:
        for seed in range(12):
            board = Board(mad=seed)
            found = outcome(name, board)
            if isinstance(found, str):
                assert found in fields.FAULTS, (name, found)
            else:
                assert sorted(found) == sorted(sensors.module(name).KEYS), (name, found)
                assert all(isinstance(value, int) for value in found.values()), (name, found)
            assert board.spent_ms() <= limit_ms(name), (name, board.spent_ms())


def test_a_switched_supply_is_on_while_measuring_and_off_afterwards_whatever_happens():
    for name in sensors.SENSORS:
        spec = example(name)
        if "power" in spec:
            for board in (Board(), Board(mad=1)):
                outcome(name, board)
                assert board.switches[spec["power"]].told == [1, 0], name


def test_a_wait_in_an_ultrasonic_driver_is_mostly_light_sleep():
    for name in sensors.SENSORS:
        if "distance_m" in sensors.module(name).KEYS:
            assert "doze_ms" in source(name), name


def test_a_quantity_keeps_its_width_in_the_journal():
    """Journals on flash are read with these letters: a wider range in FIELDS would shift them."""
    for letter, quantities in (
        ("B", ("echoes",)),
        ("b", ("rssi_dbm",)),
        ("h", ("c",)),
        ("H", ("distance_m", "spread_m", "current_ma", "v")),
        ("i", ("level_m", "pressure_bar")),
        ("I", ("flow_lps", "pulses", "us_cm")),
    ):
        for quantity in quantities:
            assert records.code(quantity) == letter, quantity


def test_faults_fit_into_half_a_byte_and_keep_their_places():
    assert len(fields.FAULTS) <= 15
    assert fields.FAULTS[:14] == (
        "fault",
        "timeout",
        "bus",
        "crc",
        "checksum",
        "no_presence",
        "power_on_value",
        "disconnected",
        "open_loop",
        "over_range",
        "no_echo",
        "scatter",
        "out_of_range",
        "driver",
    )
