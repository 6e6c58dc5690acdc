fn main() -> std::process::ExitCode {
    users::accept_contact::main()
}
