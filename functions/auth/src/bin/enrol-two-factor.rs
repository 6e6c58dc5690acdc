fn main() -> std::process::ExitCode {
    auth::enrol_two_factor::main()
}
