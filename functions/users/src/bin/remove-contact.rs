fn main() -> std::process::ExitCode {
    users::remove_contact::main()
}
