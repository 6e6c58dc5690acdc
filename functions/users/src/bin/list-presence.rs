fn main() -> std::process::ExitCode {
    users::list_presence::main()
}
